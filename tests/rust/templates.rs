//! The template cases of `tests/data/templates`, and tests of the engine that only Rust can run.

use std::collections::BTreeMap;
use std::path::Path;

use prompt_manager::Kind;
use prompt_manager::limits::Limits;
use prompt_manager::template::{
    EmptyLibrary, JsonData, JsonDataValue, Template, TemplateOptions, VariableUsages, parse as tree, print,
};
use serde_json::{Value, json};

fn options(case: &Value) -> TemplateOptions {
    let flag = |name: &str, default| case["options"][name].as_bool().unwrap_or(default);
    let defaults =
        if is_javascript(case) { TemplateOptions::handlebars() } else { TemplateOptions::default() };
    TemplateOptions {
        strict: flag("strict", defaults.strict),
        allow_none: flag("allow_none", defaults.allow_none),
        escape: flag("escape", defaults.escape),
        assume_objects: flag("assume_objects", false),
        known_helpers_only: flag("known_helpers_only", false),
        compat: flag("compat", false),
        prevent_indent: flag("prevent_indent", false),
        ignore_standalone: flag("ignore_standalone", false),
        explicit_partial_context: flag("explicit_partial_context", false),
        ..defaults
    }
}

fn is_javascript(case: &Value) -> bool {
    case["options"]["dialect"] == "handlebars"
}

fn render(case: &Value) -> prompt_manager::Result<String> {
    let options = options(case);
    let mut partials = BTreeMap::new();
    for (name, source) in case["partials"].as_object().into_iter().flatten() {
        let partial = Template::parse(name, source.as_str().expect("a text"), &options)?;
        partials.insert(name.as_str().into(), partial);
    }
    let template = Template::parse("", case["template"].as_str().expect("a text"), &options)?;
    let data = if is_javascript(case) { JsonData::javascript() } else { JsonData::default() };
    template.render(&data, &JsonDataValue::Borrowed(&case["data"]), None, &partials)
}

fn check(case: &Value) -> Result<(), String> {
    let expected_error = &case["error"];
    match render(case) {
        Ok(output) if output == case["expect"] => Ok(()),
        Ok(output) => Err(format!("gave {output:?}")),
        Err(error) if expected_error.is_null() => Err(format!("failed:\n{}", error.report())),
        Err(error) => {
            let place = error.place().ok_or("the error has no place")?;
            let kind = match error.kind() {
                Kind::TemplateSyntax => "syntax",
                Kind::TemplateRender => "render",
                other => return Err(format!("is a {other:?}")),
            };
            let mut found = json!({
                "kind": kind, "message": error.message(), "line": place.line, "column": place.column,
            });
            if let (Some(_), Some(hint)) = (expected_error.get("hint"), error.hint()) {
                found["hint"] = hint.into();
            }
            if &found == expected_error { Ok(()) } else { Err(format!("gave {found}")) }
        }
    }
}

#[test]
fn every_case_renders_as_expected() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/templates");
    let (mut count, mut failures) = (0, Vec::new());
    for entry in std::fs::read_dir(folder).expect("the folder of cases") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a readable file");
        let file: Value = serde_json::from_str(&text).expect("JSON");
        for case in file["cases"].as_array().expect("a list of cases") {
            count += 1;
            if let Err(problem) = check(case) {
                failures.push(format!("{}: {}: {problem}", path.display(), case["name"]));
            }
        }
    }
    assert!(count > 100, "only {count} cases were found");
    assert!(failures.is_empty(), "{} of {count} cases:\n{}", failures.len(), failures.join("\n"));
}

fn parse(source: &str) -> prompt_manager::Result<Template<Box<str>>> {
    Template::parse("", source, &TemplateOptions::default())
}

fn message(source: &str) -> String {
    parse(source).expect_err("a template that must not parse").message().to_owned()
}

#[test]
fn deep_nesting_is_refused_before_the_stack_overflows() {
    let deep = 100_000;
    assert_eq!(
        message(&"{{#if a}}".repeat(deep)),
        "blocks and subexpressions are nested more than 100 levels deep"
    );
    assert_eq!(
        message(&format!("{{{{a {}", "(b ".repeat(deep))),
        "blocks and subexpressions are nested more than 100 levels deep"
    );
    assert!(
        message(&format!("{{{{#if a}}}}{}", "{{else if b}}".repeat(deep)))
            .contains("nested more than 100 levels")
    );
}

#[test]
fn a_huge_template_of_braces_is_refused_by_size() {
    assert!(message(&"{".repeat(50 * 1024 * 1024)).contains("more than the limit"));
    assert!(parse(&"{{".repeat(1024 * 1024)).is_err());
}

#[test]
fn nesting_up_to_the_limit_renders() {
    let deep = 100;
    let source = format!("{}x{}", "{{#if a}}".repeat(deep), "{{/if}}".repeat(deep));
    assert_eq!(parse(&source).expect("a template").render_json(&json!({"a": 1})).expect("output"), "x");
}

#[test]
fn a_recursive_partial_is_an_error_that_names_it() {
    let options = TemplateOptions::default();
    let mut partials = BTreeMap::new();
    let loops = "{{#if a}}{{#if a}}{{#if a}}{{#if a}}{{#if a}}{{> p}}{{/if}}{{/if}}{{/if}}{{/if}}{{/if}}";
    partials.insert("p".into(), Template::parse("p", loops, &options).expect("a template"));
    let template = Template::parse("start", "{{> p}}", &options).expect("a template");
    let data = json!({"a": 1});
    let error = template
        .render(&JsonData::default(), &JsonDataValue::Borrowed(&data), None, &partials)
        .expect_err("an endless recursion");
    assert_eq!(error.place().and_then(|place| place.name.clone()).as_deref(), Some("p"));
}

#[test]
fn output_and_steps_have_limits() {
    let limits = Limits { output_bytes: 1000, steps: 500, ..Limits::default() };
    let options = TemplateOptions { limits, ..TemplateOptions::default() };
    let template = |source| Template::parse("", source, &options).expect("a template");
    let list = json!({"a": vec!["0123456789"; 400]});
    let error = template("{{#each a}}{{this}}{{/each}}").render_json(&list).expect_err("too long");
    assert!(error.message().contains("limit of 1000 bytes"), "{}", error.message());
    let error = template("{{#each a}}{{#if this}}{{/if}}{{/each}}").render_json(&list).expect_err("too many");
    assert!(error.message().contains("limit of 500 steps"), "{}", error.message());
}

#[test]
fn an_error_shows_the_source_line() {
    let error =
        Template::<Box<str>>::parse("greeting", "Hi\n\tthere {{#if x}} you", &TemplateOptions::default())
            .expect_err("a template that must not parse");
    assert_eq!(
        error.report(),
        "block `if` is opened here and never closed\n  at greeting:2:8\n  2 | \tthere {{#if x}} you\n    | \t      ^\n  \
         hint: close it with `{{/if}}`"
    );
}

#[test]
fn variables_list_how_they_are_used() {
    let mut partials = BTreeMap::new();
    let partial = |source| parse(source).expect("a template");
    partials.insert("card".into(), partial("{{title}} {{#if note}}{{note}}{{/if}}"));
    let source = "{{user.name}} {{#if focus}}{{focus}}{{/if}} {{#each docs}}{{title}} {{@index}} {{../lang}}{{/each}}\
        {{#with shop}}{{city}}{{/with}} {{> card item}} {{> card title=\"x\"}} {{#unless quiet}}{{else}}{{quiet}}{{/unless}}\
        {{#each rows as |row|}}{{row.id}}{{/each}} {{lookup table key}}";
    let found: VariableUsages = partial(source).variables(&partials).expect("an account");
    let shown: Vec<String> = found
        .iter()
        .map(|(name, variable)| {
            let paths: Vec<&str> = variable.paths.iter().map(String::as_str).collect();
            let required = if variable.required { "" } else { "?" };
            let iterated = if variable.iterated { "*" } else { "" };
            format!("{name}{required}{iterated} {}", paths.join(" "))
        })
        .collect();
    assert_eq!(
        shown,
        [
            "docs* docs docs[].title",
            "focus? focus",
            "item item item.note item.title",
            "key key",
            "lang lang",
            "note? note",
            "quiet? quiet",
            "rows* rows rows[].id",
            "shop shop shop.city",
            "table table",
            "user user.name",
        ]
    );
}

#[test]
fn data_of_the_caller_is_found_in_and_outside_loops() {
    let template = parse("{{@user.name}}{{#each a}}{{@user.name}}{{/each}}").expect("a template");
    let (context, data) = (json!({"a": [1, 2]}), json!({"user": {"name": "Ada"}}));
    let output = template.render(
        &JsonData::default(),
        &JsonDataValue::Borrowed(&context),
        Some(&JsonDataValue::Borrowed(&data)),
        &EmptyLibrary,
    );
    assert_eq!(output.expect("output"), "AdaAdaAda");
}

#[test]
fn a_tree_prints_as_equivalent_source() {
    let printed = |source: &str| print(&tree(source, &Limits::default()).expect("a template"));
    for (source, expected) in [
        ("{{  a   b = 'x'  }}", "{{a b=\"x\"}}"),
        ("{{& a}}{{{ a }}}{{~ a ~}}", "{{{a}}}{{{a}}}{{~a~}}"),
        ("{{'it\\'s'}}{{\"'\"}}", "{{\"it's\"}}{{\"'\"}}"),
        ("{{[a b].[c]}} {{[else]}} {{a.[0]}} {{[this]}}", "{{[a b].c}} {{[else]}} {{a.[0]}} {{[this]}}"),
        ("{{../a}} {{@root.a}} {{this/a}} {{. .a}}", "{{../a}} {{@root.a}} {{this/a}} {{. .a}}"),
        ("{{! a }}\n{{!-- }} --~}}", "{{! a }}\n{{!-- }} --~}}"),
        ("\\{{a}} \\\\{{a}}", "\\{{a}} \\\\{{a}}"),
        ("{{#if a}}b{{^}}c{{/if}}", "{{#if a}}b{{else}}c{{/if}}"),
        ("{{^a}}b{{else}}c{{/a}}", "{{#a}}c{{else}}b{{/a}}"),
        ("{{#if a}}b{{else  if c ~}}d{{/if}}", "{{#if a}}b{{else if c~}}d{{/if}}"),
        ("{{#each a as |b  c|}}{{/each}}", "{{#each a as |b c|}}{{/each}}"),
        ("{{>a b c=d}}{{#> (e f)}}{{/\"\"}}", "{{> a b c=d}}{{#> (e f)}}{{/[]}}"),
        ("{{#*inline 'a'}}b{{/inline}}", "{{#*inline \"a\"}}b{{/inline}}"),
        ("{{{{a b}}}}{{c}}{{{{/a}}}}", "{{{{a b}}}}{{c}}{{{{/a}}}}"),
    ] {
        assert_eq!(printed(source).as_deref(), Some(expected), "{source}");
    }
    assert_eq!(printed("{{a \"b\\\"}}"), None, "a text that ends in a backslash");
    assert_eq!(printed("{{[a\\]}}"), None, "a name that ends in a backslash");
}

#[test]
fn texts_built_by_helpers_have_a_size_limit() {
    let list = json!({"a": vec!["0123456789"; 100]});
    let joined = "(join a ".repeat(20) + "\" \"" + &")".repeat(20);
    for source in [format!("{{{{length {joined}}}}}"), format!("{{{{#if {joined}}}}}{{{{/if}}}}")] {
        let error = parse(&source).expect("a template").render_json(&list).expect_err("too long");
        assert!(
            error.message().starts_with("`join`: the text is longer than the limit of "),
            "{}",
            error.message()
        );
    }
}

#[test]
fn work_of_helpers_counts_as_steps() {
    let limits = Limits { steps: 500, ..Limits::default() };
    let options = TemplateOptions { limits, ..TemplateOptions::default() };
    let data = json!({"a": vec![1; 10], "long": "x".repeat(100_000)});
    for source in [
        format!("{{{{#each a}}}}{{{{#if (or {})}}}}{{{{/if}}}}{{{{/each}}}}", "0 ".repeat(60)),
        "{{#each a}}{{length (upper ../long)}}{{/each}}".to_owned(),
    ] {
        let template = Template::parse("", &source, &options).expect("a template");
        let error = template.render_json(&data).expect_err("too much");
        assert!(error.message().contains("limit of 500 steps"), "{}", error.message());
    }
}

#[test]
fn analysis_of_many_names_stays_fast() {
    let many = 20_000;
    let names: Vec<String> = (0..many).map(|at| format!("n{at}")).collect();
    let uses =
        |open: &str, close: &str| names.iter().fold(String::new(), |all, name| all + open + name + close);
    // If each name were searched among all others, or each path stored whole,
    // this would take minutes or all memory.
    let params = format!("{{{{#each a as |{}|}}}}{}{{{{/each}}}}", names.join(" "), uses("{{", "}}"));
    let paths = format!("{{{{#with {}}}}}{}{{{{/with}}}}", names.join("."), uses("{{", "}}"));
    let inlines = uses("{{#*inline \"", "\"}}{{/inline}}") + &uses("{{> ", "}}");
    let tests = format!("{{{{#if (log {})}}}}{}{{{{/if}}}}", names[..60].join(" "), uses("{{> ", "}}"));
    for source in [&params, &inlines, &tests] {
        assert!(parse(source).expect("a template").variables(&EmptyLibrary).expect("an account").len() <= 60);
    }
    let error = parse(&paths).expect("a template").variables(&EmptyLibrary).expect_err("too long");
    assert!(error.message().contains("too many to account for"), "{}", error.message());
}

#[test]
fn analysis_refuses_exponentially_nested_partials() {
    let mut partials = BTreeMap::new();
    for at in 0..40 {
        let twice = format!("{{{{> p{}}}}}", at + 1).repeat(2);
        partials.insert(format!("p{at}").into(), parse(&twice).expect("a template"));
    }
    let error = partials["p0"].variables(&partials).expect_err("a trillion inclusions");
    assert!(error.message().contains("used more than 1000000 times"), "{}", error.message());
}
