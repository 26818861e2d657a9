"""The arguments of the providers' calls, so that a misspelt one is refused before anything is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from prompt_manager._native import nearest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

__all__ = ["CALLS", "CallArguments", "check_arguments", "with_extra"]


class CallArguments(NamedTuple):
    """What the caller of ``build_request`` adds to a prompt."""

    model: str | None
    arguments: dict[str, Any]


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: The arguments that the methods of the ``openai`` and ``anthropic`` packages share.
_CLIENT = _names("extra_body extra_headers extra_query timeout")

_CHAT = _CLIENT | _names("""
    audio frequency_penalty function_call functions logit_bias logprobs max_completion_tokens max_tokens messages
    metadata modalities model moderation n parallel_tool_calls prediction presence_penalty prompt_cache_key
    prompt_cache_options prompt_cache_retention reasoning_effort response_format safety_identifier seed service_tier
    stop store stream stream_options temperature tool_choice tools top_logprobs top_p user verbosity web_search_options
""")

_RESPONSES = _CLIENT | _names("""
    access_programs background background_options context_management conversation image include input instructions
    max_output_tokens max_tool_calls metadata model moderation parallel_tool_calls previous_response_id prompt
    prompt_cache_key prompt_cache_options prompt_cache_retention reasoning safety_identifier service_tier store stream
    stream_options temperature text tool_choice tools top_logprobs top_p truncation user
""")

_ANTHROPIC = _CLIENT | _names("""
    cache_control container diagnostics inference_geo max_tokens messages metadata model output_config service_tier
    speed stop_sequences stream system temperature thinking tool_choice tools top_k top_p user_profile_id workspace_id
""")

#: LiteLLM passes everything that it does not know to the provider. These are its own arguments, and those that its
#: documentation names for cloud providers.
_LITELLM = _CHAT | _names("""
    additional_drop_params allowed_openai_params api_base api_key api_type api_version assistant_continue_message
    aws_access_key_id aws_bedrock_runtime_endpoint aws_profile_name aws_region_name aws_role_name aws_secret_access_key
    aws_session_name aws_session_token aws_sts_endpoint aws_web_identity_token azure_ad_token azure_ad_token_provider
    azure_password azure_username base_model base_url bos_token cache caching caching_groups client client_id
    client_secret context_window_fallback_dict cooldown_time custom_llm_provider custom_prompt_dict deployment_id
    drop_params enable_json_schema_validation ensure_alternating_roles eos_token fallbacks final_prompt_value guardrails
    headers hf_model_name id include_server_side_tool_invocations initial_prompt_value input_cost_per_second
    input_cost_per_token litellm_call_id litellm_credential_name litellm_metadata litellm_session_id litellm_trace_id
    logger_fn max_budget max_fallbacks max_retries merge_reasoning_content_in_choices mock_response mock_timeout
    model_config model_info model_list num_retries organization output_cost_per_second output_cost_per_token
    preset_cache_key prompt_id prompt_label prompt_variables prompt_version provider_specific_header region_name
    request_timeout retry_policy retry_strategy roles safety_settings shared_session ssl_verify stream_timeout
    supports_system_message tags tenant_id text_completion thinking top_k turn_off_message_logging
    use_litellm_proxy user_continue_message verbose vertex_credentials vertex_location vertex_project
""")

#: For each target, the arguments of its call in any release of the supported range.
CALLS: Mapping[str, frozenset[str]] = {
    "openai": _CHAT,
    "openai-responses": _RESPONSES,
    "anthropic": _ANTHROPIC,
    "litellm": _LITELLM,
}


def check_arguments(target: str, integration: type[Any], arguments: Iterable[str], own: Collection[str]) -> None:
    """Refuse the first argument that neither the provider's call nor ours has.

    Args:
        target: The provider, as observers know it.
        integration: The class of its integration.
        arguments: The names of the arguments.
        own: The names of our own arguments.

    Raises:
        TypeError: there is such an argument. The message has the nearest name, or says where the argument belongs.

    >>> check_arguments("anthropic", object, ["max_token"], ["model"])
    Traceback (most recent call last):
    TypeError: unexpected keyword argument 'max_token'; did you mean 'max_tokens'? If not, pass extra={'max_token': ...}
    """
    known = CALLS[target]
    for name in arguments:
        if name in known:
            continue
        if name in _options(integration):
            cls = integration.__name__
            raise TypeError(
                f"unexpected keyword argument '{name}'; it is an option of {cls}: use "
                f"{cls}(manager.template_engine, {name}=...).build_request(prompt, variables)"
            )
        extra = f"pass extra={{'{name}': ...}}"
        # Ours come first, because a caller who slips with `label` does not think of `logit_bias`.
        near = nearest(name, sorted(own)) or nearest(name, sorted(known))
        if near:
            raise TypeError(f"unexpected keyword argument '{name}'; did you mean '{near}'? If not, {extra}")
        raise TypeError(
            f"unexpected keyword argument '{name}'; the call for '{target}' has no such argument. If your model or "
            f"gateway has it, {extra}"
        )


def with_extra(target: str, arguments: dict[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments together with those that are not checked.

    The packages of OpenAI and Anthropic refuse arguments that they do not know, and send the members of ``extra_body``.
    LiteLLM passes on what it does not know.

    Raises:
        TypeError: ``extra`` has an argument that is given by its name too, or ``model``.

    >>> with_extra("openai", {"stream": True}, {"min_p": 0.1})
    {'stream': True, 'extra_body': {'min_p': 0.1}}
    """
    for name in extra:
        if name in arguments or name == "model":
            raise TypeError(f"`extra` has '{name}', which is an argument of its own: pass only {name}=...")
    if target == "litellm":
        return {**arguments, **extra}
    known = {name: value for name, value in extra.items() if name in CALLS[target]}
    body = {name: value for name, value in extra.items() if name not in known}
    together = {**arguments, **known}
    if body:
        together["extra_body"] = {**body, **(together.get("extra_body") or {})}
    return together


def _options(integration: type[Any]) -> Collection[str]:
    """The options of an integration."""
    from inspect import Parameter, signature

    parameters = signature(integration.__init__).parameters.values()
    return [each.name for each in parameters if each.kind is Parameter.KEYWORD_ONLY]
