"""Problems that are found at load: one warning with all of them, ``check()``, and names that come later.

What each rule finds is in ``tests/data/yaml/findings.txt``.
"""

from __future__ import annotations

import asyncio
import pickle
import warnings

import pytest

from helpers import EXAMPLES, SECRET, chat_of, create_text_prompt
from prompt_manager import Finding, Prompt, PromptManager, PromptWarning, TemplateEngine
from prompt_manager.exceptions import StorageReadError, TemplateRenderError, TemplateSyntaxError
from prompt_manager.integrations import AnthropicIntegration, LiteLLMIntegration, OpenAIIntegration
from prompt_manager.storage import YAMLLoader

MISSPELT = "id: a\nformat: text\ntemplate: {content: '{{name}} {{#if vpi}}VIP{{/if}}', variables: [name, vip]}\n"
CUT = "id: b\nformat: text\ntemplate: Sum up ticket #{{n}} for {{who}}\n"
GOOD = "id: good\nformat: text\ntemplate: Hello {{name}}!\n"


def placed(findings):
    return [(finding.rule, finding.line, finding.column) for finding in findings]


async def load_with_watch(root):
    async with await PromptManager.from_directory(root, watch=True):
        pass


LOADS = {
    "from_directory_sync": PromptManager.from_directory_sync,
    "from_directory": lambda root: asyncio.run(PromptManager.from_directory(root)),
    "watch": lambda root: asyncio.run(load_with_watch(root)),
    "YAMLLoader": lambda root: YAMLLoader().load_directory_sync(root),
    "YAMLLoader, await": lambda root: asyncio.run(YAMLLoader().load_directory(root)),
}


class TestLoad:
    @pytest.mark.parametrize("load", LOADS.values(), ids=LOADS)
    def test_a_load_gives_one_warning_with_all_findings(self, directory, load):
        root = directory({"a.yaml": MISSPELT, "sub/b.yaml": CUT, "good.yaml": GOOD})
        with pytest.warns(PromptWarning) as warned:
            load(root)
        (warning,) = warned
        findings = warning.message.findings
        assert placed(findings) == [
            ("misspelt-variable", 3, 37),
            ("yaml-comment", 3, 25),
        ]
        assert [finding.file for finding in findings] == [str(root / "a.yaml"), str(root / "sub" / "b.yaml")]
        text = str(warning.message)
        assert text.startswith("2 problems\n\n")
        assert f"at {root / 'a.yaml'}:3:37" in text
        assert "did you mean `vip`?" in text
        assert all(str(finding) in text for finding in findings)

    def test_the_warning_points_at_the_calling_line(self, directory):
        root = directory({"b.yaml": CUT})
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            PromptManager.from_directory_sync(root)
            YAMLLoader().load_file_sync(root / "b.yaml")
            PromptManager.from_directory_sync(root, watch=True).close_sync()
        assert [warning.filename for warning in warned] == [__file__] * 3

    def test_everything_is_loaded_before_the_warning_is_raised(self, directory):
        root = directory({"a.yaml": MISSPELT, "b.yaml": CUT, "good.yaml": GOOD})
        loader = YAMLLoader(PromptManager().registry)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(PromptWarning) as caught:
                loader.watch_directory_sync(root)
        assert len(caught.value.findings) == 2
        assert loader._registry is not None
        assert len(loader._registry.list_sync()) == 3

    def test_errors_of_skipped_files_are_findings_of_the_same_warning(self, directory):
        root = directory({"a.yaml": MISSPELT, "c.yaml": "id: c\nformat: text\ntemplate: '{{> gone}}'\n"})
        with pytest.warns(PromptWarning) as warned:
            manager = PromptManager.from_directory_sync(root, on_error="skip")
        (warning,) = warned
        assert [finding.severity for finding in warning.message.findings] == ["warning", "error"]
        assert [summary.id for summary in manager.list_prompts_sync()] == ["a"]

    def test_findings_of_schemas_belong_to_the_same_warning(self, directory, tmp_path):
        (tmp_path / "schemas").mkdir()
        (tmp_path / "schemas" / "s.yaml").write_text(
            "schemas:\n- name: s\n  fields:\n  - {name: x, type: string, item_type: string}\n", encoding="utf-8"
        )
        with pytest.warns(PromptWarning) as warned:
            PromptManager.from_directory_sync(directory({"b.yaml": CUT}), schema_dir=tmp_path / "schemas")
        (warning,) = warned
        codes = [finding.rule for finding in warning.message.findings]
        assert sorted(codes) == ["schema-without-effect", "yaml-comment"]

    def test_the_examples_have_no_findings(self):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            manager = PromptManager.from_directory_sync(EXAMPLES / "prompts", schema_dir=EXAMPLES / "schemas")
        assert manager.check() == []

    def test_a_warning_survives_pickling(self, directory):
        with pytest.warns(PromptWarning) as warned:
            PromptManager.from_directory_sync(directory({"a.yaml": MISSPELT}))
        message = warned[0].message
        copy = pickle.loads(pickle.dumps(message))
        assert (str(copy), copy.findings) == (str(message), message.findings)
        assert {*copy.findings} == {*message.findings}
        assert isinstance(message, UserWarning)


class TestUnknownNames:
    @pytest.mark.parametrize(
        ("template", "column", "code", "hint"),
        [
            ("x {{> nopartial}}", 14, "unknown-partial", "write it to `partials/nopartial.hbs`"),
            ("x {{#if y}}{{> nopartial}}{{/if}}", 23, "unknown-partial", "write it to `partials/nopartial.hbs`"),
            ("{{shout y}}", 12, "unknown-helper", "the available helpers"),
            ("{{#if (shout y)}}x{{/if}}", 18, "unknown-helper", "the available helpers"),
        ],
    )
    def test_a_partial_or_helper_that_exists_nowhere_is_an_error(self, directory, template, column, code, hint):
        root = directory({"a.yaml": f"id: a\nformat: text\ntemplate: '{template}'\n", "good.yaml": GOOD})
        with pytest.raises(StorageReadError) as caught:
            PromptManager.from_directory_sync(root)
        (error,) = caught.value.errors
        assert isinstance(error, TemplateSyntaxError)
        assert (error.path, error.line, error.context["code"]) == (str(root / "a.yaml"), 3, code)
        assert error.column in {column, column + 2}
        assert error.context["prompt_id"] == "a"
        assert hint in error.hint

    def test_partials_and_helpers_of_the_engine_exist(self, directory):
        engine = TemplateEngine()
        engine.register_helper("shout", str.upper)
        engine.register_partial("tone", "Be {{shout mood}}.")
        root = directory({"a.yaml": "id: a\nformat: text\ntemplate: '{{> tone}}'\n"})
        manager = PromptManager.from_directory_sync(root, template_engine=engine)
        assert manager.render_sync("a", {"mood": "kind"}) == "Be KIND."

    def test_names_that_are_announced_may_be_registered_after_the_load(self, directory):
        engine = TemplateEngine(known_helpers=["shout", "wrap"], known_partials=["tone"])
        template = "{{> tone}} {{shout name}} {{#wrap name}}x{{/wrap}} {{#if (shout name)}}y{{/if}}"
        root = directory({"a.yaml": f"id: a\nformat: text\ntemplate: '{template}'\n"})
        manager = PromptManager.from_directory_sync(root, template_engine=engine)
        assert manager.check() == []
        with pytest.raises(TemplateRenderError, match="there is no partial `tone`"):
            manager.render_sync("a", {"name": "Ada"})
        manager.template_engine.register_partial("tone", "Kind.")
        with pytest.raises(TemplateRenderError, match="the helper `shout` is not registered") as caught:
            manager.render_sync("a", {"name": SECRET})
        assert SECRET not in str(caught.value)
        assert "register it with the template engine" in str(caught.value)
        manager.template_engine.register_helper("shout", str.upper)
        manager.template_engine.register_helper("wrap", lambda options, _: f"<{options.fn()}>", pass_options=True)
        assert manager.render_sync("a", {"name": "Ada"}) == "Kind. ADA <x> y"

    def test_an_announced_name_of_a_built_in_helper_changes_nothing(self):
        engine = TemplateEngine(known_helpers=["if", "upper", "each"])
        assert engine.render_sync("{{#if x}}{{upper x}}{{/if}}", {"x": "a"}) == "A"

    def test_a_prompt_made_in_python_may_get_its_partial_later(self):
        manager = PromptManager()
        manager.create_prompt_sync(create_text_prompt(template="{{> tone}} {{name}}", status="active"))
        assert [finding.rule for finding in manager.check()] == ["unknown-partial"]
        with pytest.raises(TemplateRenderError, match="there is no partial `tone`"):
            manager.render_sync("greeting", {"name": "Ada"})
        manager.template_engine.register_partial("tone", "Dear")
        assert manager.check() == []
        assert manager.render_sync("greeting", {"name": "Ada"}) == "Dear Ada"

    @pytest.mark.parametrize("make", [OpenAIIntegration, AnthropicIntegration, LiteLLMIntegration])
    def test_explain_compatibility_names_them(self, make):
        engine = TemplateEngine()
        prompt = chat_of({"role": "user", "content": "{{> nopartial}} {{name}}"})
        (reason,) = make(engine).explain_compatibility(prompt)
        assert reason.startswith("there is no partial `nopartial`")
        assert not make(engine).validate_compatibility(prompt)
        engine.register_partial("nopartial", "now there is")
        assert make(engine).explain_compatibility(prompt) == []
        (reason,) = make(engine).explain_compatibility(chat_of({"role": "user", "content": "{{shout name}}"}))
        assert reason == "there is no helper `shout`"


class TestCheck:
    def test_the_findings_of_a_directory_are_those_of_its_files_now(self, directory):
        root = directory({"good.yaml": GOOD})
        manager = PromptManager.from_directory_sync(root)
        assert manager.check() == []
        (root / "a.yaml").write_text(MISSPELT, encoding="utf-8")
        (root / "c.yaml").write_text("id: c\nformat: txt\ntemplate: x\n", encoding="utf-8")
        findings = manager.check()
        assert placed(findings) == [
            ("misspelt-variable", 3, 37),
            ("invalid-prompt", 2, 9),
        ]
        assert [summary.id for summary in manager.list_prompts_sync()] == ["good"]
        finding = findings[0]
        assert isinstance(finding, Finding)
        assert (finding.severity, finding.prompt_id, finding.hint) == ("warning", "a", "did you mean `vip`?")
        assert finding.file == str(root / "a.yaml")
        assert "uses `vpi`" in finding.message

    @pytest.mark.parametrize(
        ("partials", "messages"),
        [
            (
                {f"p{n}": f"{{{{> p{(n + 1) % 20_000}}}}}" for n in range(20_000)},
                ["`p0` includes `p1` includes `p2` includes", "and so on, back to `p0` after 20000 partials"],
            ),
            (
                {"menu": "".join(f"{{{{> p{n}}}}}" for n in range(10_000))}
                | {f"p{n}": "{{> menu}}" for n in range(10_000)},
                ["`menu` includes `p0` includes `menu` (prompt `p`)"],
            ),
            (
                {f"a{n}": f"{{{{> a{(n + 1) % 9_000}}}}}{{{{> b{n}}}}}" for n in range(9_000)}
                | {f"b{n}": f"{{{{> b{(n + 1) % 9_000}}}}}" for n in range(9_000)},
                ["back to `a0` after 9000 partials", "back to `b0` after 9000 partials"],
            ),
        ],
        ids=["one", "by a menu", "two"],
    )
    def test_circles_of_many_partials(self, partials, messages):
        manager = PromptManager()
        manager.create_prompt_sync(Prompt(id="p", template=f"{{{{> {next(iter(partials))}}}}}", partials=partials))
        findings = manager.check()
        found = sorted({finding.message for finding in findings})
        assert {finding.rule for finding in findings} == {"circular-partial"}
        assert all(any(message in each for each in found) for message in messages), found
        assert max(map(len, found)) < 400

    def test_prompts_without_a_file_have_places_in_their_templates(self):
        manager = PromptManager()
        template = {"content": "{{name}}\n {{#each dosc}}x{{/each}}", "variables": ["name", "docs"]}
        manager.create_prompt_sync(create_text_prompt(template=template))
        manager.create_prompt_sync(create_text_prompt(id="more", template={"content": "x", "variables": ["tone"]}))
        misspelt, unused = sorted(manager.check(), key=lambda finding: finding.rule)
        assert (misspelt.file, misspelt.line, misspelt.column) == (None, 2, 10)
        assert (unused.file, unused.line, unused.prompt_id) == (None, None, "more")

    def test_a_prompt_registered_beside_a_directory_is_checked_too(self, directory):
        manager = PromptManager.from_directory_sync(directory({"good.yaml": GOOD}))
        manager.registry.register_sync(
            Prompt(id="more", format="text", template={"content": "{{nmae}} {{name}}", "variables": ["name"]})
        )
        assert [(finding.rule, finding.prompt_id) for finding in manager.check()] == [("misspelt-variable", "more")]

    def test_providers_and_rules_that_are_off_can_be_asked_for(self):
        manager = PromptManager()
        manager.create_prompt_sync(chat_of({"role": "system", "content": "Sum up: {{document}}"}))
        assert manager.check() == []
        assert [finding.rule for finding in manager.check(providers=["anthropic"])] == ["provider-refusal"]
        assert [finding.rule for finding in manager.check(also=["PM026"])] == ["unfenced-variable"]
        with pytest.raises(ValueError, match="there is no provider"):
            manager.check(providers=["antropic"])
        with pytest.raises(ValueError, match="there is no rule"):
            manager.check(also=["PM999"])

    def test_a_directory_that_is_gone_is_an_error(self, directory):
        root = directory({"good.yaml": GOOD})
        manager = PromptManager.from_directory_sync(root)
        root.rename(root.with_name("moved"))
        with pytest.raises(StorageReadError):
            manager.check()


@pytest.mark.parametrize(
    "text",
    [
        "template: Hello {{name}}\nvariables:\n  name: string\n  place: string  # pm: ignore[PM010]\n",
        "template: Hello {{name}}\nvariables:\n  name: string\n  # pm: ignore\n  place: string\n",
        "template: |\n  {{!-- pm: ignore[undeclared-variable] --}}\n  Hello {{name}}{{place}}\nvariables: [place]\n",
    ],
)
def test_a_comment_hides_a_finding_from_a_load_and_a_check(tmp_path, text):
    file = tmp_path / "a.yaml"
    file.write_text(text.replace("pm:", "pm"))
    with pytest.warns(PromptWarning):
        PromptManager.from_directory_sync(tmp_path)
    file.write_text(text)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        manager = PromptManager.from_directory_sync(tmp_path)
    assert manager.check() == []


def test_a_comment_does_not_hide_a_file_that_a_load_skips(tmp_path):
    (tmp_path / "a.yaml").write_text('template: "{{#if x}}"  # pm: ignore\n')
    with pytest.warns(PromptWarning, match="never closed"):
        PromptManager.from_directory_sync(tmp_path, on_error="skip")
