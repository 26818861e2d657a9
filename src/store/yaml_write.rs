//! Writes prompts as readable YAML in the short spelling. Keys are in the order of the documentation, texts with line
//! breaks are literal blocks, and defaults are left out. Reading the text gives the same prompt.

use serde_json::{Map, Value};

use crate::error::{Error, Kind, Result};
use crate::prompt::{Prompt, Status, no_parameters, spelling};

/// The prompt as the text of a YAML file.
///
/// ```
/// use prompt_manager::store::yaml::read_prompts;
/// use prompt_manager::store::yaml_write::write_prompt;
///
/// let text = "id: bye\nversion: \"1.0.0\"\ntemplate: |-\n  Goodbye\n  {{name}}\n";
/// let read = read_prompts("bye.yaml", text);
/// assert_eq!(write_prompt(&read.prompts[0].prompt)?, text);
/// # Ok::<(), prompt_manager::Error>(())
/// ```
///
/// # Errors
/// [`Kind::PromptInvalid`] if reading the YAML would not give the same prompt, for example because its metadata is
/// nested too deeply.
pub fn write_prompt(prompt: &Prompt) -> Result<String> {
    let failed = |why: String| {
        Error::new(Kind::PromptInvalid, format!("prompt '{}' cannot be written as YAML: {why}", prompt.id))
            .with_context("prompt_id", prompt.id.as_str())
    };
    let mut value = serde_json::to_value(prompt).map_err(|error| failed(error.to_string()))?;
    leave_out_defaults(&mut value, prompt);
    write_in_short(&mut value, prompt);
    let mut text = String::new();
    serde_saphyr::to_fmt_writer_with_options(&mut text, &value, options())
        .map_err(|error| failed(error.to_string()))?;
    let read = super::yaml::read_stored("", &text);
    match (read.errors.first(), read.prompts.as_slice()) {
        (None, [back]) if back.prompt == *prompt => Ok(text),
        (Some(error), _) => Err(failed(error.message().to_owned())),
        _ => Err(failed("reading the text would not give the same prompt".to_owned())),
    }
}

/// A plain value as YAML, in the style of prompt files.
///
/// # Errors
/// [`Kind::PromptInvalid`] if the value cannot be written.
pub fn write_value(value: &Value) -> Result<String> {
    let mut text = String::new();
    serde_saphyr::to_fmt_writer_with_options(&mut text, value, options())
        .map_err(|error| Error::new(Kind::PromptInvalid, error.to_string()))?;
    Ok(text)
}

/// Removes members that have the default value of a prompt file.
fn leave_out_defaults(value: &mut Value, prompt: &Prompt) {
    let Value::Object(members) = value else { return };
    if prompt.status == Status::Active {
        members.shift_remove("status");
    }
    if let Some(Value::Array(tools)) = members.get_mut("tools") {
        let none = Value::Object(no_parameters());
        for tool in tools.iter_mut().filter_map(Value::as_object_mut) {
            if tool.get("parameters") == Some(&none) {
                tool.shift_remove("parameters");
            }
        }
    }
}

/// Moves what is in the template or chat template beside it, and removes a format that follows from them.
fn write_in_short(value: &mut Value, prompt: &Prompt) {
    let Value::Object(members) = value else { return };
    let is_followed = prompt.template.is_some() != prompt.chat_template.is_some()
        && prompt.format == spelling::format(prompt.template.is_some(), prompt.chat_template.is_some());
    let mut short = Map::new();
    for (key, value) in std::mem::take(members) {
        match (key.as_str(), value) {
            ("format", _) if is_followed => {}
            ("template", Value::Object(mut parts)) => {
                short.extend(parts.shift_remove("content").map(|content| (key, content)));
                short.extend(parts);
            }
            ("chat_template", Value::Object(parts)) => short.extend(parts),
            (_, value) => drop(short.insert(key, value)),
        }
    }
    *members = short;
}

fn options() -> serde_saphyr::SerializerOptions {
    serde_saphyr::ser_options! {
        compact_list_indent: false,
        // No folded blocks: their line breaks differ from those of the text.
        folded_wrap_chars: usize::MAX,
    }
}
