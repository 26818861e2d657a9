//! The arguments of the providers' calls, in any release of the supported ranges.
//!
//! The packages of OpenAI and Anthropic refuse arguments that they do not know, and send the members of `extra_body`.

use std::collections::HashMap;

use super::api::{Api, INFERENCE_CONFIG};
use super::given_arguments::EXTRA_BODY;

impl Api {
    /// The API by the name that observers know it by.
    fn by_target(target: &str) -> Option<Self> {
        Some(match target {
            "openai" => Self::Chat,
            "openai-responses" => Self::Responses,
            "anthropic" => Self::Messages,
            "litellm" => Self::LiteLlm,
            "gemini" => Self::Gemini,
            "bedrock" => Self::Converse,
            _ => return None,
        })
    }

    /// The arguments of the call.
    fn call_arguments(self) -> impl Iterator<Item = &'static str> {
        let lists: &[&[&str]] = match self {
            Self::Chat => &[CLIENT, CHAT],
            Self::Responses => &[CLIENT, RESPONSES],
            Self::Messages => &[CLIENT, MESSAGES],
            Self::LiteLlm => &[CLIENT, CHAT, LITELLM],
            Self::Gemini => &[GENERATE_CONTENT],
            Self::Converse => &[CONVERSE],
        };
        lists.iter().flat_map(|list| list.iter().copied())
    }

    /// Whether the provider's package takes this setting by its name. LiteLLM passes on what it does not know.
    pub(super) fn takes(self, argument: &str) -> bool {
        match self {
            Self::LiteLlm => true,
            Self::Gemini => GENERATE_CONTENT_CONFIG.contains(&argument),
            _ => self.call_arguments().any(|known| known == argument),
        }
    }
}

/// The arguments of the call for a target, as observers know it. `None` for an unknown target.
#[must_use]
pub fn call_arguments(target: &str) -> Option<Vec<&'static str>> {
    Api::by_target(target).map(|api| api.call_arguments().collect())
}

/// The members of an argument, each with the argument, for a target whose call has settings in a mapping.
#[must_use]
pub fn members_of_arguments(target: &str) -> Vec<(&'static str, &'static str)> {
    let (argument, members): (_, &[&str]) = match Api::by_target(target) {
        Some(Api::Gemini) => ("config", GENERATE_CONTENT_CONFIG),
        Some(Api::Converse) => (INFERENCE_CONFIG, INFERENCE_MEMBERS),
        _ => return Vec::new(),
    };
    members.iter().map(|member| (*member, argument)).collect()
}

/// The members of a mapping among the arguments of a call, for a mapping whose members are known. Empty for any other.
#[must_use]
pub fn known_members(target: &str, argument: &str) -> &'static [&'static str] {
    match (Api::by_target(target), argument) {
        (Some(Api::Gemini), "config") => GENERATE_CONTENT_CONFIG,
        (Some(Api::Converse), INFERENCE_CONFIG) => INFERENCE_MEMBERS,
        (Some(Api::Converse), "toolConfig") => &["toolChoice", "tools"],
        (Some(Api::Converse), "outputConfig") => &["effort", "textFormat"],
        _ => &[],
    }
}

/// The names that providers have for the same thing, and where each API takes it. Empty if it does not.
struct Synonyms {
    names: &'static [&'static str],
    chat: &'static str,
    responses: &'static str,
    messages: &'static str,
    gemini: &'static str,
    converse: &'static str,
}

const SYNONYMS: &[Synonyms] = &[
    Synonyms {
        names: &["max_tokens", "max_completion_tokens", "max_output_tokens", "maxTokens", "maxOutputTokens"],
        chat: "max_completion_tokens=...",
        responses: "max_output_tokens=...",
        messages: "max_tokens=...",
        gemini: "config={'max_output_tokens': ...}",
        converse: "inferenceConfig={'maxTokens': ...}",
    },
    Synonyms {
        names: &["stop", "stop_sequences", "stopSequences"],
        chat: "stop=[...]",
        responses: "",
        messages: "stop_sequences=[...]",
        gemini: "config={'stop_sequences': [...]}",
        converse: "inferenceConfig={'stopSequences': [...]}",
    },
    Synonyms {
        names: &["temperature"],
        chat: "temperature=...",
        responses: "temperature=...",
        messages: "",
        gemini: "config={'temperature': ...}",
        converse: "inferenceConfig={'temperature': ...}",
    },
    Synonyms {
        names: &["top_p", "topP"],
        chat: "top_p=...",
        responses: "top_p=...",
        messages: "",
        gemini: "config={'top_p': ...}",
        converse: "inferenceConfig={'topP': ...}",
    },
    Synonyms {
        names: &["top_k", "topK"],
        chat: "",
        responses: "",
        messages: "",
        gemini: "config={'top_k': ...}",
        converse: "additionalModelRequestFields={'top_k': ...}",
    },
    Synonyms {
        names: &["effort", "reasoning_effort", "reasoning", "thinking_level", "thinkingLevel"],
        chat: "reasoning_effort=...",
        responses: "reasoning={'effort': ...}",
        messages: "output_config={'effort': ...}",
        gemini: "config={'thinking_config': {'thinking_level': ...}}",
        converse: "outputConfig={'effort': ...}",
    },
    Synonyms {
        names: &["thinking_budget", "thinkingBudget", "budget_tokens", "thinking"],
        chat: "",
        responses: "",
        messages: "thinking={'type': 'enabled', 'budget_tokens': ...}",
        gemini: "config={'thinking_config': {'thinking_budget': ...}}",
        converse: "additionalModelRequestFields={'thinking': ...}",
    },
    Synonyms {
        names: &["tools"],
        chat: "tools=[...]",
        responses: "tools=[...]",
        messages: "tools=[...]",
        gemini: "config={'tools': [...]}",
        converse: "toolConfig={'tools': [...]}",
    },
    Synonyms {
        names: &["tool_choice", "toolChoice"],
        chat: "tool_choice=...",
        responses: "tool_choice=...",
        messages: "tool_choice=...",
        gemini: "config={'tool_config': {'function_calling_config': ...}}",
        converse: "toolConfig={'toolChoice': ...}",
    },
    Synonyms {
        names: &["response_format", "response_json_schema", "response_schema", "textFormat", "text_format"],
        chat: "response_format=...",
        responses: "text={'format': ...}",
        messages: "output_config={'format': ...}",
        gemini: "config={'response_json_schema': ...}",
        converse: "outputConfig={'textFormat': ...}",
    },
];

/// Where a target takes what another provider has under this name, as it is written in a call. `None` if it is not known.
#[must_use]
pub fn place_of(target: &str, name: &str) -> Option<&'static str> {
    let synonyms = SYNONYMS.iter().find(|synonyms| synonyms.names.contains(&name))?;
    let place = match Api::by_target(target)? {
        Api::Chat | Api::LiteLlm => synonyms.chat,
        Api::Responses => synonyms.responses,
        Api::Messages => synonyms.messages,
        Api::Gemini => synonyms.gemini,
        Api::Converse => synonyms.converse,
    };
    (!place.is_empty()).then_some(place)
}

/// The arguments that the methods of the `openai` and `anthropic` packages share. They are no members of the request's body.
const CLIENT: &[&str] = &[EXTRA_BODY, "extra_headers", "extra_query", "timeout"];

/// Whether an argument is for the call alone, and no part of the request's body is made of it.
#[must_use]
pub fn is_of_call(name: &str) -> bool {
    name != EXTRA_BODY && CLIENT.contains(&name)
}

/// Whether arguments, as JSON, may have some that are no members of the request's body.
#[must_use]
pub fn may_have_client_arguments(json: &str) -> bool {
    CLIENT.iter().any(|name| json.contains(name))
}

/// The members of the body that the packages send for these arguments of a call. `members` gives those of `extra_body`, which
/// replace others of their names.
///
/// # Errors
/// The error of `members`.
pub fn body_of<V, E>(
    arguments: Vec<(String, V)>,
    members: impl FnOnce(V) -> std::result::Result<Vec<(String, V)>, E>,
) -> std::result::Result<Vec<(String, V)>, E> {
    let is_extra = |(name, _): &(String, V)| name == EXTRA_BODY;
    let (extra, mut body): (Vec<_>, Vec<_>) = arguments.into_iter().partition(is_extra);
    body.retain(|(name, _)| !CLIENT.contains(&name.as_str()));
    if let Some((_, extra)) = extra.into_iter().next_back() {
        body.extend(members(extra)?);
    }
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut merged: Vec<(String, V)> = Vec::with_capacity(body.len());
    for (name, value) in body {
        if let Some(place) = places.get(&name) {
            merged[*place].1 = value;
        } else {
            places.insert(name.clone(), merged.len());
            merged.push((name, value));
        }
    }
    Ok(merged)
}

const CHAT: &[&str] = &[
    "audio",
    "frequency_penalty",
    "function_call",
    "functions",
    "logit_bias",
    "logprobs",
    "max_completion_tokens",
    "max_tokens",
    "messages",
    "metadata",
    "modalities",
    "model",
    "moderation",
    "n",
    "parallel_tool_calls",
    "prediction",
    "presence_penalty",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "reasoning_effort",
    "response_format",
    "safety_identifier",
    "seed",
    "service_tier",
    "stop",
    "store",
    "stream",
    "stream_options",
    "temperature",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "user",
    "verbosity",
    "web_search_options",
];

const RESPONSES: &[&str] = &[
    "access_programs",
    "background",
    "background_options",
    "context_management",
    "conversation",
    "image",
    "include",
    "input",
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "metadata",
    "model",
    "moderation",
    "parallel_tool_calls",
    "previous_response_id",
    "prompt",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "reasoning",
    "safety_identifier",
    "service_tier",
    "store",
    "stream",
    "stream_options",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "truncation",
    "user",
];

const MESSAGES: &[&str] = &[
    "cache_control",
    "container",
    "diagnostics",
    "inference_geo",
    "max_tokens",
    "messages",
    "metadata",
    "model",
    "output_config",
    "service_tier",
    "speed",
    "stop_sequences",
    "stream",
    "system",
    "temperature",
    "thinking",
    "tool_choice",
    "tools",
    "top_k",
    "top_p",
    "user_profile_id",
    "workspace_id",
];

/// LiteLLM's own arguments, and those that its documentation names for cloud providers.
const LITELLM: &[&str] = &[
    "additional_drop_params",
    "allowed_openai_params",
    "api_base",
    "api_key",
    "api_type",
    "api_version",
    "assistant_continue_message",
    "aws_access_key_id",
    "aws_bedrock_runtime_endpoint",
    "aws_profile_name",
    "aws_region_name",
    "aws_role_name",
    "aws_secret_access_key",
    "aws_session_name",
    "aws_session_token",
    "aws_sts_endpoint",
    "aws_web_identity_token",
    "azure_ad_token",
    "azure_ad_token_provider",
    "azure_password",
    "azure_username",
    "base_model",
    "base_url",
    "bos_token",
    "cache",
    "caching",
    "caching_groups",
    "client",
    "client_id",
    "client_secret",
    "context_window_fallback_dict",
    "cooldown_time",
    "custom_llm_provider",
    "custom_prompt_dict",
    "deployment_id",
    "drop_params",
    "enable_json_schema_validation",
    "ensure_alternating_roles",
    "eos_token",
    "fallbacks",
    "final_prompt_value",
    "guardrails",
    "headers",
    "hf_model_name",
    "id",
    "include_server_side_tool_invocations",
    "initial_prompt_value",
    "input_cost_per_second",
    "input_cost_per_token",
    "litellm_call_id",
    "litellm_credential_name",
    "litellm_metadata",
    "litellm_session_id",
    "litellm_trace_id",
    "logger_fn",
    "max_budget",
    "max_fallbacks",
    "max_retries",
    "merge_reasoning_content_in_choices",
    "mock_response",
    "mock_timeout",
    "model_config",
    "model_info",
    "model_list",
    "num_retries",
    "organization",
    "output_cost_per_second",
    "output_cost_per_token",
    "preset_cache_key",
    "prompt_id",
    "prompt_label",
    "prompt_variables",
    "prompt_version",
    "provider_specific_header",
    "region_name",
    "request_timeout",
    "retry_policy",
    "retry_strategy",
    "roles",
    "safety_settings",
    "shared_session",
    "ssl_verify",
    "stream_timeout",
    "supports_system_message",
    "tags",
    "tenant_id",
    "text_completion",
    "thinking",
    "top_k",
    "turn_off_message_logging",
    "use_litellm_proxy",
    "user_continue_message",
    "verbose",
    "vertex_credentials",
    "vertex_location",
    "vertex_project",
];

const GENERATE_CONTENT: &[&str] = &["config", "contents", "model"];

const GENERATE_CONTENT_CONFIG: &[&str] = &[
    "audio_timestamp",
    "audio_transcription_config",
    "automatic_continuation",
    "automatic_function_calling",
    "cached_content",
    "candidate_count",
    "continuation_token",
    "enable_enhanced_civic_answers",
    "frequency_penalty",
    "generation_output_config",
    "http_options",
    "image_config",
    "labels",
    "logprobs",
    "max_output_tokens",
    "media_resolution",
    "model_armor_config",
    "model_selection_config",
    "presence_penalty",
    "response_json_schema",
    "response_logprobs",
    "response_mime_type",
    "response_modalities",
    "response_schema",
    "routing_config",
    "safety_settings",
    "seed",
    "service_tier",
    "should_return_http_response",
    "speech_config",
    "stop_sequences",
    "store",
    "system_instruction",
    "temperature",
    "thinking_config",
    "tool_config",
    "tools",
    "top_k",
    "top_p",
];

const CONVERSE: &[&str] = &[
    "additionalModelRequestFields",
    "additionalModelResponseFieldPaths",
    "guardrailConfig",
    INFERENCE_CONFIG,
    "messages",
    "modelId",
    "outputConfig",
    "performanceConfig",
    "projectIdentifier",
    "promptVariables",
    "requestMetadata",
    "serviceTier",
    "system",
    "toolConfig",
];

const INFERENCE_MEMBERS: &[&str] = &["maxTokens", "stopSequences", "temperature", "topP"];
