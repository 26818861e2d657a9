"""Import paths of public names, and the modules that an import loads."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

import prompt_manager
from helpers import run_python

PATHS = {
    "prompt_manager": """
        PromptManager Prompt PromptMetadata PromptVersion PromptRegistry TemplateEngine PromptError PromptManagerError
        PromptNotFoundError PromptValidationError TemplateError VersionStore __version__""",
    "prompt_manager.bulk": """
        BatchPlan BatchRenderer RenderedStream RenderedTable WrittenRequests bedrock_request write_jsonl""",
    "prompt_manager.core": "PromptManager PromptRegistry Template TemplateEngine",
    "prompt_manager.core.models": """
        PromptFormat PromptStatus Role Message PromptTemplate ChatPromptTemplate PromptMetadata Tool Settings Variable
        Prompt PromptSummary PromptVersion PromptExecution PromptSchema LabelMove PromptDiff MessageChange
        TextChange ToolChange ValueChange VariableChange VariableInfo""",
    "prompt_manager.core.filters": "PromptFilters",
    "prompt_manager.core.manager": "PromptManager",
    "prompt_manager.core.registry": "PromptRegistry",
    "prompt_manager.core.template": "TemplateEngine Template",
    "prompt_manager.core.protocols": """
        TemplateEngineProtocol StorageBackendProtocol VersionStoreProtocol ObserverProtocol PluginProtocol
        MetricsCollectorProtocol EventStreamProtocol""",
    "prompt_manager.integrations": """
        BaseIntegration OpenAIIntegration AnthropicIntegration LangChainIntegration LiteLLMIntegration
        GeminiIntegration BedrockIntegration PromptConversionWarning""",
    "prompt_manager.integrations.base": "BaseIntegration PromptConversionWarning",
    "prompt_manager.integrations.openai": "OpenAIIntegration",
    "prompt_manager.integrations.anthropic": "AnthropicIntegration",
    "prompt_manager.integrations.gemini": "GeminiIntegration",
    "prompt_manager.integrations.bedrock": "BedrockIntegration",
    "prompt_manager.integrations.mcp": "MCPIntegration to_mcp_prompt to_mcp_result",
    "prompt_manager.integrations.pydantic_ai": "AgentInputs PydanticAIIntegration to_agent_inputs",
    "prompt_manager.integrations.llama_index": "LlamaIndexIntegration to_llama_index_messages",
    "prompt_manager.integrations.langchain": """
        LangChainIntegration LANGCHAIN_AVAILABLE ALLOWED_OBJECTS VALID_NAMESPACES HandlebarsPromptTemplate
        HandlebarsMessagePromptTemplate HandlebarsChatPromptTemplate JoinedPromptTemplate FStringPromptTemplate
        PromptSource""",
    "prompt_manager.observability": """
        BatchEvent EventStreamObserver LoggingObserver MetricsCollector Observer OpenTelemetryObserver
        PrometheusCollector PromptSpanProcessor ReloadEvent RenderEvent enable_native_logging
        forget_prompt prompt_attributes""",
    "prompt_manager.observability.logging": "LoggingObserver",
    "prompt_manager.observability.metrics": "MetricsCollector",
    "prompt_manager.observability.telemetry": "OpenTelemetryObserver",
    "prompt_manager.plugins": "BasePlugin PluginInfo PluginRegistry",
    "prompt_manager.plugins.base": "BasePlugin",
    "prompt_manager.plugins.registry": "PluginInfo PluginRegistry",
    "prompt_manager.plugins.openai_plugin": "OpenAIPlugin",
    "prompt_manager.plugins.anthropic_plugin": "AnthropicPlugin",
    "prompt_manager.plugins.langchain_plugin": "LangChainPlugin",
    "prompt_manager.plugins.litellm_plugin": "LiteLLMPlugin",
    "prompt_manager.plugins.gemini_plugin": "GeminiPlugin",
    "prompt_manager.plugins.bedrock_plugin": "BedrockPlugin",
    "prompt_manager.storage": "InMemoryStorage FileSystemStorage YAMLLoader",
    "prompt_manager.storage.memory": "InMemoryStorage",
    "prompt_manager.versioning": "VersionStore diff",
    "prompt_manager.versioning.store": "VersionStore",
    "prompt_manager.storage.yaml_loader": "YAMLLoader",
    "prompt_manager.storage.file": "FileSystemStorage",
    "prompt_manager.storage.testing": "StorageSuite",
    "prompt_manager.validation": """
        BaseValidator CustomValidator DateTimeValidator DateValidator EmailValidator EnumValidator FieldType
        FieldValidator LengthValidator ParsedOutput RangeValidator RegexValidator Repair Schema SchemaField SchemaLoader
        SchemaRegistry URLValidator UUIDValidator ValidationType ValidatorFactory""",
    "prompt_manager.validation.loader": "SchemaLoader",
    "prompt_manager.validation.models": "FieldType FieldValidator Schema SchemaField SchemaRegistry ValidationType",
    "prompt_manager.validation.output": "ParsedOutput Repair",
    "prompt_manager.validation.validators": """
        CustomValidator DateTimeValidator DateValidator EmailValidator EnumValidator LengthValidator RangeValidator
        RegexValidator URLValidator UUIDValidator ValidatorFactory""",
    "prompt_manager.exceptions": """
        PromptManagerError PromptError PromptNotFoundError PromptValidationError TemplateError TemplateSyntaxError
        TemplateRenderError VersionError VersionNotFoundError VersionConflictError StorageError StorageReadError
        StorageWriteError PluginError PluginNotFoundError PluginLoadError PluginValidationError SchemaError
        SchemaParseError SchemaValidationError IntegrationError IntegrationNotAvailableError ConversionError
        IncompatibleFormatError ObservabilityError""",
}
MODULES = [
    "prompt_manager",
    *(
        module.name
        for module in pkgutil.walk_packages(prompt_manager.__path__, "prompt_manager.")
        if not module.name.endswith("__main__")
    ),
]


@pytest.mark.parametrize(("module", "names"), [(module, names.split()) for module, names in PATHS.items()])
def test_public_names_can_be_imported(module, names):
    found = importlib.import_module(module)
    for name in names:
        assert getattr(found, name) is not None
        assert name in found.__all__


@pytest.mark.parametrize("module", MODULES)
def test_all_lists_existing_names_once(module):
    found = importlib.import_module(module)
    names = getattr(found, "__all__", [])
    assert len(set(names)) == len(names)
    for name in names:
        assert hasattr(found, name), name


@pytest.mark.parametrize("module", [name for name in PATHS if "." not in name.removeprefix("prompt_manager.")])
def test_dir_lists_names_before_they_are_loaded(module):
    shown = run_python(f"import {module} as found; print(set(found.__all__) <= set(dir(found)))")
    assert shown == "True\n"


@pytest.mark.parametrize("module", ["prompt_manager", "prompt_manager.core", "prompt_manager.integrations"])
def test_an_unknown_name_is_an_attribute_error(module):
    found = importlib.import_module(module)
    with pytest.raises(AttributeError, match=f"module '{module}' has no attribute 'Promt'"):
        _ = found.Promt


def test_every_import_path_gives_the_same_object():
    core = importlib.import_module("prompt_manager.core")
    home = importlib.import_module("prompt_manager.core.manager")
    assert prompt_manager.PromptManager is core.PromptManager is home.PromptManager
    assert prompt_manager.Prompt is importlib.import_module("prompt_manager.core.models").Prompt


def test_a_star_import_imports_all():
    namespace: dict[str, object] = {}
    exec("from prompt_manager import *", namespace)  # noqa: S102
    assert set(prompt_manager.__all__) <= set(namespace)


HEAVY = """
    pydantic structlog logging asyncio openai anthropic click rich yaml opentelemetry typing_extensions
    importlib.metadata prompt_manager.plugins"""


def test_importing_the_package_loads_no_other_module():
    code = "import sys; before = set(sys.modules); import prompt_manager; print(*sorted(set(sys.modules) - before))"
    assert set(run_python(code).split()) <= {"__future__", "prompt_manager"}


def test_loading_and_rendering_import_no_heavy_module():
    code = f"""
import sys
before = set(sys.modules)
from prompt_manager import PromptManager
manager = PromptManager.from_directory_sync("examples/prompts", schema_dir="examples/schemas")
manager.render_sync("greeting", {{"name": "Ada", "role": "engineer"}})
manager.render_messages_sync("customer_support", {{"company": "Acme", "user_query": "?"}})
loaded = set(sys.modules) - before
loaded |= {{name.partition(".")[0] for name in loaded}}
print(*sorted(loaded & set({HEAVY.split()!r})))
"""
    assert run_python(code).split() == []


@pytest.mark.parametrize(
    "module", [f"prompt_manager.integrations.{name}" for name in ("openai", "anthropic", "langchain")]
)
def test_importing_an_integration_loads_no_sdk(module):
    code = f"""
import sys
import {module}
sdks = {{"openai", "anthropic", "httpx", "langchain_core"}}
print(*sorted({{name.partition(".")[0] for name in sys.modules}} & sdks))
"""
    assert run_python(code).split() == []


@pytest.mark.parametrize("module", MODULES)
def test_every_module_can_be_imported_first(module):
    if module.startswith("prompt_manager.cli"):
        pytest.importorskip("click")
    run_python(f"import {module}")
