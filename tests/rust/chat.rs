//! Builds messages from JSON, for tests.

use prompt_manager::prompt::{
    CacheHint, Content, FilePart, FunctionCall, Message, OpenAiCache, Part, PartBody, PortableCache, Role,
    SearchResultPart, ToolCall, Tree,
};
use serde_json::Value;

/// Builds the messages of a case.
pub fn messages(json: &Value) -> Vec<Message<String>> {
    json.as_array().expect("a list of messages").iter().map(message).collect()
}

fn message(json: &Value) -> Message<String> {
    let role = json["role"].as_str().expect("a role");
    Message {
        role: Role::ALL.into_iter().find(|known| known.as_str() == role).expect("a known role"),
        content: match &json["content"] {
            Value::Null => None,
            Value::String(text) => Some(Content::Text(text.clone())),
            parts => Some(Content::Parts(list(parts).iter().map(part).collect())),
        },
        refusal: text(&json["refusal"]),
        name: text(&json["name"]),
        tool_calls: list(&json["tool_calls"]).iter().map(tool_call).collect(),
        tool_call_id: text(&json["tool_call_id"]),
        function_call: json.get("function_call").map(function_call),
        cache: json.get("cache").map(cache),
        optional: false,
        is_error: json["is_error"] == true,
        from_history: false,
        carried: None,
    }
}

fn list(json: &Value) -> &[Value] {
    json.as_array().map_or(&[], Vec::as_slice)
}

fn text(json: &Value) -> Option<String> {
    json.as_str().map(str::to_owned)
}

fn part(json: &Value) -> Part<String> {
    let need = |json: &Value| text(json).unwrap_or_default();
    let body = match json["type"].as_str().expect("a part's type") {
        "text" => PartBody::Text(need(&json["text"])),
        "image_url" => {
            let image = &json["image_url"];
            PartBody::ImageUrl { url: need(&image["url"]), detail: text(&image["detail"]) }
        }
        "image" if json.get("file_id").is_some() => {
            PartBody::UploadedImage { file_id: need(&json["file_id"]), media_type: None }
        }
        "image" => PartBody::Image { media_type: need(&json["media_type"]), data: need(&json["data"]) },
        "input_audio" => {
            let audio = &json["input_audio"];
            PartBody::Audio { data: need(&audio["data"]), format: need(&audio["format"]) }
        }
        "file" => {
            let file = &json["file"];
            PartBody::File(Box::new(FilePart {
                file_id: text(&file["file_id"]),
                filename: text(&file["filename"]),
                file_data: text(&file["file_data"]),
                url: text(&json["url"]),
                text: text(&json["text"]),
                title: text(&json["title"]),
                context: text(&json["context"]),
                citations: json["citations"] == true,
            }))
        }
        "search_result" => {
            let content = match &json["content"] {
                Value::String(text) => vec![text.clone()],
                texts => {
                    list(texts).iter().map(|each| text(each).unwrap_or_else(|| need(&each["text"]))).collect()
                }
            };
            PartBody::SearchResult(Box::new(SearchResultPart {
                source: need(&json["source"]),
                title: need(&json["title"]),
                content,
                citations: json["citations"] == true,
            }))
        }
        other => panic!("no such part: {other}"),
    };
    Part { body, cache: json.get("cache").map(cache) }
}

fn tool_call(json: &Value) -> ToolCall<String> {
    ToolCall { id: text(&json["id"]).unwrap_or_default(), function: function_call(&json["function"]) }
}

fn function_call(json: &Value) -> FunctionCall<String> {
    FunctionCall { name: text(&json["name"]).unwrap_or_default(), arguments: tree(&json["arguments"]) }
}

fn tree(json: &Value) -> Tree<String> {
    match json {
        Value::Null => Tree::Null,
        Value::Bool(value) => Tree::Bool(*value),
        Value::Number(value) => Tree::Number(value.clone()),
        Value::String(text) => Tree::Text(text.clone()),
        Value::Array(items) => Tree::List(items.iter().map(tree).collect()),
        Value::Object(members) => {
            Tree::Map(members.iter().map(|(key, value)| (key.clone(), tree(value))).collect())
        }
    }
}

fn cache(json: &Value) -> CacheHint {
    let openai = json.get("openai").map(|openai| match openai.as_str().or(openai["ttl"].as_str()) {
        Some(ttl) => OpenAiCache::with_ttl(ttl).expect("a time of OpenAI"),
        None => OpenAiCache::default(),
    });
    let is_portable = openai.is_none() || json.get("ttl").is_some() || json.get("type").is_some();
    let portable = is_portable.then(|| PortableCache { ttl: text(&json["ttl"]) });
    CacheHint { portable, openai }
}
