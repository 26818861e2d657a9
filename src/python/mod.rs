//! The Python bindings. A function converts its arguments, calls the core and converts the result. Only this folder uses
//! pyo3.

mod arguments;
mod arrow_input;
mod bulk;
mod bulk_files;
mod chat;
mod check;
mod conversion_warning;
mod convert;
mod data;
mod directory_files;
mod directory_label;
mod directory_source;
mod display;
mod error;
mod ffi;
mod fork_gate;
mod helper;
mod json_texts;
mod keyed_render;
mod langchain;
mod library;
mod manager_renders;
mod message_dicts;
mod metrics;
mod native_logging;
mod node;
mod observers;
mod output;
mod overlay;
mod panic_text;
mod payload;
mod prompt;
mod prompt_files;
mod refresh;
mod registry;
mod reload;
mod render_event;
mod request_arguments;
mod runtime;
mod schema;
mod sink;
mod stack_level;
mod storage;
mod store_source;
mod surrogates;
mod template;

mod text;
mod unknown_key;
mod unknown_variables;
mod versions;
mod watch;
mod written;
mod yaml;

use pyo3::prelude::*;

/// The extension module of the Python package `prompt_manager`.
#[pymodule(gil_used = false)]
mod _native {
    use super::PyResult;
    use pyo3::prelude::*;

    #[pymodule_export]
    use super::arguments::encoding_problem;
    #[pymodule_export]
    use super::bulk::{PyBatch, RenderedStream, RenderedTable};
    #[pymodule_export]
    use super::bulk_files::{
        arguments_of_call, batch_line, check_batch_id, gemini_batch_body, text_table, write_requests,
    };
    #[pymodule_export]
    use super::chat::{PyChatTemplate, compile_chat};
    #[pymodule_export]
    use super::check::{PyFinding, fix_file, report_findings, rules};
    #[pymodule_export]
    use super::convert::{
        Converter, address_kind, call_arguments, known_members, members_of_arguments, place_of, plain_base64,
        read_data_url, snake_case, unpaired_calls, validate_alternation,
    };
    #[pymodule_export]
    use super::data::HelperOptions;
    #[pymodule_export]
    use super::data::loggable::loggable;
    #[pymodule_export]
    use super::directory_files::{
        create_file, file_kind, find_test_files, named_labels, replace_file, write_file,
    };
    #[pymodule_export]
    use super::error::nearest;
    #[pymodule_export]
    use super::json_texts::check_json_texts;
    #[pymodule_export]
    use super::keyed_render::KeyedRender;
    #[pymodule_export]
    use super::langchain::{LangChainSource, langchain_f_string};
    #[pymodule_export]
    use super::manager_renders::ManagerRenders;
    #[pymodule_export]
    use super::metrics::{PyCountedRegistry, PyMetrics};
    #[pymodule_export]
    use super::native_logging::{flush_native_logging, set_native_logging};
    #[pymodule_export]
    use super::output::{parse_answer, parse_json};
    #[pymodule_export]
    use super::prompt::{
        CompiledPrompt, PyPromptOrigin, check_spelling, compile_prompt, content_hash, opaque_prompt,
        plain_json, prompt_mistakes,
    };
    #[pymodule_export]
    use super::prompt_files::{read_prompts, read_prompts_sync};
    #[pymodule_export]
    use super::refresh::PyLook;
    #[pymodule_export]
    use super::registry::PyRegistry;
    #[pymodule_export]
    use super::render_event::RenderEvent;
    #[pymodule_export]
    use super::schema::{PySchemas, check_rule, check_schema, json_schema_to_schema};
    #[pymodule_export]
    use super::storage::{PyFileStore, PyMemoryStore, prompt_yaml};
    #[pymodule_export]
    use super::template::{CompiledTemplate, Engine, restore_template};
    #[pymodule_export]
    use super::unknown_key::unknown_key;
    #[pymodule_export]
    use super::versions::{PyHistory, diff, raise_version};
    #[pymodule_export]
    use super::watch::{PyWatch, watch_directory, watch_directory_sync};
    #[pymodule_export]
    use super::written::{prompt_places, prompt_uses, with_version};
    #[pymodule_export]
    use super::yaml::{read_yaml, write_yaml};

    /// The version comes from `Cargo.toml` and the name from `pyproject.toml`.
    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        #[cfg(not(Py_GIL_DISABLED))]
        super::ffi::install::<super::template::RenderDict>(module.py())?;
        module.add("DISTRIBUTION", env!("DISTRIBUTION"))?;
        module.add("PLAIN_DEPTH", crate::limits::PLAIN_DEPTH)?;
        module.add("__version__", env!("PYTHON_VERSION"))
    }
}
