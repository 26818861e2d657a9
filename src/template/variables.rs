//! Which variables a template reads, and how: found in the syntax tree, without rendering.
//!
//! The walk knows what `this` is wherever it stands (`docs[]` within `{{#each docs}}`), so that every use becomes a
//! path from the variable it starts at. A use counts as guarded where it stands under a test of the same variable;
//! a variable whose every use is guarded or a mere test may be left out by the caller.

use std::collections::BTreeMap;

use super::ast::{Call, Expr, ExprKind, Path, Program, Statement};

/// How a template uses one variable.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Variable {
    /// Whether a render needs it: some use is not under a test of it, and is more than a test. What is not required
    /// is optional.
    pub required: bool,
    /// Whether it is only tested, as `flag` is by `{{#if flag}}`: nothing of it is printed, walked or handed on.
    pub tested: bool,
    /// Whether a loop walks it.
    pub iterated: bool,
    /// Every path that is read from it, such as `user.name` or `docs[].title`, in order.
    pub paths: std::collections::BTreeSet<String>,
}

impl Variable {
    /// Takes in what another template does with the same variable.
    pub fn join(&mut self, other: Self) {
        self.required |= other.required;
        self.tested &= other.tested;
        self.iterated |= other.iterated;
        self.paths.extend(other.paths);
    }
}

/// The variables of a template by name.
pub type Variables = BTreeMap<String, Variable>;

/// What one template's source says, before its partials are looked at.
#[derive(Debug, Clone, Default)]
pub(super) struct Usage {
    uses: Vec<Use>,
    includes: Vec<Include>,
}

#[derive(Debug, Clone)]
struct Use {
    path: Vec<String>,
    purpose: Purpose,
    needed: bool,
}

/// A partial that the template includes.
#[derive(Debug, Clone)]
struct Include {
    name: String,
    /// The path of its context; `None` where it cannot be known.
    context: Option<Vec<String>>,
    /// The names that its hash gives it.
    given: Vec<String>,
    guards: Vec<String>,
}

/// The segment that stands for the items of a list.
const ITEMS: &str = "[]";

/// How deep partials are followed.
const DEPTH: usize = 50;

/// Reads a template's own uses.
pub(super) fn usage(program: &Program) -> Usage {
    let mut reader = Reader {
        usage: Usage::default(),
        contexts: vec![Some(Vec::new())],
        params: Vec::new(),
        guards: Vec::new(),
        inlines: Vec::new(),
    };
    reader.program(program);
    reader.usage
}

/// Joins a template's uses with those of the partials that it includes.
pub(super) fn join(usage: &Usage, partial: &dyn Fn(&str) -> Option<Usage>) -> Variables {
    let mut variables = Variables::new();
    let mut open = Vec::new();
    collect(usage, Some(&[]), &[], &[], partial, &mut open, &mut variables);
    variables
}

fn collect(
    usage: &Usage,
    context: Option<&[String]>,
    given: &[String],
    guards: &[String],
    partial: &dyn Fn(&str) -> Option<Usage>,
    open: &mut Vec<String>,
    variables: &mut Variables,
) {
    let full = |path: &[String]| -> Option<Vec<String>> {
        let inherited = context?;
        if path.first().is_some_and(|name| given.contains(name)) {
            return None;
        }
        Some(inherited.iter().chain(path).cloned().collect())
    };
    for one in &usage.uses {
        let Some(path) = full(&one.path) else { continue };
        let Some(name) = path.first().filter(|name| *name != ITEMS) else { continue };
        let unseen = Variable { tested: true, ..Variable::default() };
        let variable = variables.entry(name.clone()).or_insert(unseen);
        variable.required |= one.needed && !guards.contains(name);
        variable.tested &= one.purpose == Purpose::Tested;
        variable.iterated |= one.purpose == Purpose::Iterated && path.len() == 1;
        variable.paths.insert(spell(&path));
    }
    for include in &usage.includes {
        if open.len() >= DEPTH || open.contains(&include.name) {
            continue;
        }
        let Some(inner) = partial(&include.name) else { continue };
        let inner_context = include.context.as_deref().and_then(full);
        // A name that an outer partial was given stays given where the context is passed on whole.
        let mut inner_given = include.given.clone();
        if include.context.as_ref().is_some_and(Vec::is_empty) {
            inner_given.extend_from_slice(given);
        }
        let inner_guards: Vec<String> = guards.iter().chain(&include.guards).cloned().collect();
        open.push(include.name.clone());
        collect(&inner, inner_context.as_deref(), &inner_given, &inner_guards, partial, open, variables);
        open.pop();
    }
}

fn spell(path: &[String]) -> String {
    let mut text = String::new();
    for part in path {
        if part != ITEMS && !text.is_empty() {
            text.push('.');
        }
        text.push_str(part);
    }
    text
}

struct Reader {
    usage: Usage,
    /// The paths of the contexts that `../` can reach, innermost last; `None` where one cannot be known.
    contexts: Vec<Option<Vec<String>>>,
    /// Block parameters in scope and what they stand for.
    params: Vec<(String, Option<Vec<String>>)>,
    /// The variables that are tested around the place that is read.
    guards: Vec<String>,
    /// Partials that the template defines itself.
    inlines: Vec<String>,
}

/// What a place does with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// Prints it, or cannot do without.
    Needed,
    /// Asks whether it is there or true.
    Tested,
    /// Hands it on to what can do without: a partial, a helper such as `default`.
    Passed,
    Iterated,
}

impl Reader {
    fn program(&mut self, program: &Program) {
        let known = self.inlines.len();
        for statement in &program.body {
            if let Statement::Inline(inline) = statement
                && let ExprKind::String(name) = &inline.name.kind
            {
                self.inlines.push(name.clone());
            }
        }
        for statement in &program.body {
            self.statement(statement);
        }
        self.inlines.truncate(known);
    }

    fn statement(&mut self, statement: &Statement) {
        match statement {
            Statement::Content(_) | Statement::Comment(_) => {}
            Statement::Mustache(mustache) => self.call(&mustache.call, Purpose::Needed),
            Statement::Block(block) => self.block(block),
            Statement::Partial(partial) => self.partial(partial),
            Statement::PartialBlock(block) => {
                self.partial(&block.partial);
                self.program(&block.program);
            }
            Statement::Inline(inline) => self.program(&inline.program),
        }
    }

    fn block(&mut self, block: &super::ast::Block) {
        let name = block.call.callee.as_path().and_then(|path| path.simple_name().map(str::to_owned));
        let argument = block.call.params.first();
        let (program, inverse) = (block.program.as_ref(), block.inverse.as_ref());
        match (name.as_deref(), argument) {
            (Some(test @ ("if" | "unless")), Some(argument)) => {
                self.argument(argument, Purpose::Tested);
                let mut tested = Vec::new();
                self.tested(argument, &mut tested);
                let (guarded, other) = if test == "if" { (program, inverse) } else { (inverse, program) };
                let known = self.guards.len();
                self.guards.extend(tested);
                self.branch(guarded);
                self.guards.truncate(known);
                self.branch(other);
            }
            (Some("each"), Some(list)) => {
                self.argument(list, Purpose::Iterated);
                let item = self.resolve(list).map(|mut path| {
                    path.push(ITEMS.to_owned());
                    path
                });
                self.scoped(program, item);
                self.branch(inverse);
            }
            (Some("with"), Some(value)) => {
                self.argument(value, Purpose::Needed);
                let context = self.resolve(value);
                self.scoped(program, context);
                self.branch(inverse);
            }
            _ => self.value_block(block),
        }
    }

    /// A block on a value. What it is, list, object or flag, is not known here; its members are read as an object's.
    fn value_block(&mut self, block: &super::ast::Block) {
        self.call(&block.call, Purpose::Tested);
        let path = block.call.params.is_empty().then(|| block.call.callee.as_path()).flatten();
        let context = path.as_ref().and_then(|path| self.resolve_path(path));
        let guard = context.as_ref().and_then(|context| context.first().cloned());
        let known = self.guards.len();
        self.guards.extend(guard);
        self.scoped(block.program.as_ref(), context);
        self.guards.truncate(known);
        self.branch(block.inverse.as_ref());
    }

    fn branch(&mut self, program: Option<&Program>) {
        if let Some(program) = program {
            self.program(program);
        }
    }

    /// Reads a branch whose context is another value.
    fn scoped(&mut self, program: Option<&Program>, context: Option<Vec<String>>) {
        let Some(program) = program else { return };
        let known = self.params.len();
        for (at, name) in program.block_params.iter().enumerate() {
            self.params.push((name.clone(), context.clone().filter(|_| at == 0)));
        }
        self.contexts.push(context);
        self.program(program);
        self.contexts.pop();
        self.params.truncate(known);
    }

    fn partial(&mut self, partial: &super::ast::Partial) {
        if let Some(context) = &partial.context {
            self.argument(context, Purpose::Passed);
        }
        for (_, value) in &partial.hash {
            self.argument(value, Purpose::Passed);
        }
        let Some(name) = partial.name.as_path().map(|path| path.original.clone()) else {
            return self.argument(&partial.name, Purpose::Needed);
        };
        if self.inlines.contains(&name) || name == "@partial-block" {
            return;
        }
        let context = match &partial.context {
            Some(context) => self.resolve(context),
            None => self.contexts.last().cloned().flatten(),
        };
        let given = partial.hash.iter().map(|(name, _)| name.clone()).collect();
        self.usage.includes.push(Include { name, context, given, guards: self.guards.clone() });
    }

    fn call(&mut self, call: &Call, purpose: Purpose) {
        if call.params.is_empty() && call.hash.is_empty() {
            if let Some(path) = call.callee.as_path() {
                self.read(&path, purpose);
            }
            return;
        }
        let name = call.callee.name();
        for (at, value) in call.params.iter().enumerate() {
            let forgiven = super::helpers::forgives(&name, at);
            self.argument(
                value,
                if forgiven && purpose != Purpose::Tested { Purpose::Passed } else { purpose },
            );
        }
        for (_, value) in &call.hash {
            self.argument(value, purpose);
        }
    }

    fn argument(&mut self, expr: &Expr, purpose: Purpose) {
        match &expr.kind {
            ExprKind::Path(path) => self.read(path, purpose),
            ExprKind::Call(call) => self.call(call, purpose),
            _ => {}
        }
    }

    /// The variables that a condition tests.
    fn tested(&self, expr: &Expr, into: &mut Vec<String>) {
        match &expr.kind {
            ExprKind::Path(path) => {
                into.extend(self.resolve_path(path).and_then(|path| path.into_iter().next()));
            }
            ExprKind::Call(call) => {
                for value in &call.params {
                    self.tested(value, into);
                }
            }
            _ => {}
        }
    }

    fn read(&mut self, path: &Path, purpose: Purpose) {
        let Some(path) = self.resolve_path(path) else { return };
        let Some(name) = path.first() else { return };
        let needed = matches!(purpose, Purpose::Needed | Purpose::Iterated) && !self.guards.contains(name);
        self.usage.uses.push(Use { path, purpose, needed });
    }

    fn resolve(&self, expr: &Expr) -> Option<Vec<String>> {
        match &expr.kind {
            ExprKind::Path(path) => self.resolve_path(path),
            _ => None,
        }
    }

    /// The path from the template's context; `None` for loop data, literals and what cannot be known.
    fn resolve_path(&self, path: &Path) -> Option<Vec<String>> {
        let mut parts = path.parts.as_slice();
        let base = if path.data {
            if parts.first().is_none_or(|name| name != "root") {
                return None;
            }
            parts = &parts[1..];
            self.contexts.first()?.clone()?
        } else if let Some((_, value)) = self
            .params
            .iter()
            .rev()
            .find(|(name, _)| path.depth == 0 && !path.scoped && parts.first() == Some(name))
        {
            parts = &parts[1..];
            value.clone()?
        } else {
            let at = self.contexts.len().checked_sub(path.depth + 1)?;
            self.contexts[at].clone()?
        };
        Some(base.into_iter().chain(parts.iter().cloned()).collect())
    }
}
