//! Warns of variables that a prompt does not declare, or refuses them, as a manager asks for.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, PoisonError, RwLock, Weak};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

use super::conversion_warning::c_text;
use super::error::foreign;
use super::stack_level::stack_level;
use super::text::PyText;
use crate::prompt::{Prompt, PromptId, UnknownVariables};
use crate::store;

const WARN: u8 = 0;
const ERROR: u8 = 1;
const IGNORE: u8 = 2;

/// How many names are remembered. A caller can pass ever new ones.
const MAX_WARNED: usize = 1_000;

/// What a registry does about variables that a prompt does not declare.
pub(super) struct UnknownVariablePolicy {
    mode: AtomicU8,
    /// The ids of prompts with the names that were warned of.
    warned: Mutex<HashSet<(String, String)>>,
    /// Weak, because prompts of the registry keep this policy.
    prompts: Weak<RwLock<store::Registry<PyText>>>,
}

impl UnknownVariablePolicy {
    pub(super) fn new(prompts: Weak<RwLock<store::Registry<PyText>>>) -> Self {
        Self { mode: AtomicU8::new(WARN), warned: Mutex::default(), prompts }
    }

    /// The policy for prompts that are in no registry.
    pub(super) fn ignoring() -> Self {
        Self { mode: AtomicU8::new(IGNORE), warned: Mutex::default(), prompts: Weak::new() }
    }

    pub(super) fn set(&self, mode: &str) -> PyResult<()> {
        let mode = match mode {
            "warn" => WARN,
            "error" => ERROR,
            "ignore" => IGNORE,
            other => {
                return Err(PyValueError::new_err(format!(
                    "unknown_variables must be 'warn', 'error' or 'ignore', not '{other}'"
                )));
            }
        };
        self.mode.store(mode, Ordering::Relaxed);
        Ok(())
    }

    /// Whether there was no warning of this name yet, and notes that there is one now. When there are too many names to
    /// remember, all are forgotten.
    fn is_first(&self, prompt: &Prompt, name: &str) -> bool {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if warned.len() >= MAX_WARNED {
            warned.clear();
        }
        warned.insert((prompt.id.to_string(), name.to_owned()))
    }

    /// The policy for a render; `None` if it ignores such variables.
    pub(super) fn active(&self) -> Option<&dyn UnknownVariables> {
        (self.mode.load(Ordering::Relaxed) != IGNORE).then_some(self)
    }
}

impl UnknownVariables for UnknownVariablePolicy {
    fn is_strict(&self) -> bool {
        self.mode.load(Ordering::Relaxed) == ERROR
    }

    fn is_known_elsewhere(&self, prompt: &PromptId, name: &str) -> bool {
        let Some(prompts) = self.prompts.upgrade() else { return false };
        let prompts = prompts.read().unwrap_or_else(PoisonError::into_inner);
        prompts.all().any(|compiled| compiled.prompt().id != *prompt && compiled.has_variable(name))
    }

    fn suspect(&self, prompt: &Prompt, name: &str, meant: &str) -> crate::Result<()> {
        if !self.is_first(prompt, name) {
            return Ok(());
        }
        let message = format!(
            "prompt `{}` was given `{name}`, which it does not declare: is it meant to be `{meant}`?",
            prompt.id
        );
        Python::attach(|py| {
            warn(py, &message).map_err(|raised| {
                // A filter may turn the warning into an exception, which the caller gets as it is.
                match foreign(py, raised, || message.clone()) {
                    error if error.kind() == crate::Kind::Foreign => error,
                    error => error.recast(crate::Kind::Foreign, message),
                }
            })
        })
    }
}

/// Issues a warning at the line that called the package.
fn warn(py: Python<'_>, message: &str) -> PyResult<()> {
    static CATEGORY: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let category = CATEGORY.import(py, "prompt_manager.exceptions", "PromptWarning")?;
    PyErr::warn(py, category, &c_text(message), stack_level(py)?)
}
