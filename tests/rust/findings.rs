//! The rules about prompts, from the table in `tests/data/yaml/findings.txt`, and with an engine of partials.

use std::collections::BTreeMap;
use std::path::PathBuf;

use prompt_manager::check::{CheckOptions, Code, Finding, Severity, check, check_fully};
use prompt_manager::prompt::Compiled;
use prompt_manager::store::directory;
use prompt_manager::store::yaml::read_prompts;
use prompt_manager::template::{EmptyLibrary, Library, Template, TemplateOptions};

use crate::cases;

/// The findings in a file, in the notation of the tables.
fn lines_of(findings: &[Finding]) -> Vec<String> {
    let mut lines = Vec::new();
    for finding in findings {
        let place = finding
            .place
            .as_ref()
            .map_or_else(|| "?".to_owned(), |place| format!("{}:{}", place.line, place.column));
        lines.push(format!("{place} {} {}", finding.code, finding.message));
        lines.extend(finding.hint.iter().map(|hint| format!("hint {hint}")));
    }
    lines
}

fn findings(text: &str, options: &TemplateOptions, engine: &dyn Library<Box<str>>) -> Vec<Finding> {
    let file = read_prompts("f.yaml", text);
    assert!(file.errors.is_empty(), "{:?}", file.errors);
    let mut found = file.warnings;
    for located in file.prompts {
        let compiled = Compiled::compile(located.prompt, options, engine).expect("the templates parse");
        found.extend(check(&compiled, engine, Some(&located.places), &[]));
    }
    found
}

/// All findings in a file, also of the rules that are off by default.
fn full_findings(text: &str) -> Vec<Finding> {
    let file = read_prompts("f.yaml", text);
    assert!(file.errors.is_empty(), "{:?}", file.errors);
    let options = CheckOptions { also: Code::ALL.to_vec(), ..CheckOptions::default() };
    let mut found = file.warnings;
    for located in file.prompts {
        let compiled = Compiled::compile(located.prompt, &TemplateOptions::default(), &EmptyLibrary)
            .expect("the templates parse");
        found.extend(check_fully::<Box<str>>(&compiled, &EmptyLibrary, Some(&located.places), &[], &options));
    }
    found
}

/// Compares the findings of each case of a table with those that it lists, and returns the codes.
fn compare(table: &str, find: impl Fn(&str) -> Vec<Finding>) -> Vec<Code> {
    let (mut codes, mut wrong) = (Vec::new(), Vec::new());
    for case in cases(table) {
        let found = find(&case.text);
        if lines_of(&found) != case.expected {
            wrong.push(format!("@@ {}\n@ {}\n", case.name, lines_of(&found).join("\n@ ")));
        }
        for finding in found {
            assert_eq!(finding.file.as_deref(), Some("f.yaml"), "{}", case.name);
            assert_eq!(finding.prompt_id.as_deref(), Some("a"), "{}", case.name);
            codes.push(finding.code);
        }
    }
    assert!(wrong.is_empty(), "other findings:\n{}", wrong.concat());
    codes
}

#[test]
fn each_rule_of_a_load_finds_its_mistakes_and_nothing_else() {
    let find = |text: &str| findings(text, &TemplateOptions::default(), &EmptyLibrary);
    let codes = compare(include_str!("../data/yaml/findings.txt"), find);
    for code in [
        Code::UndeclaredVariable,
        Code::MisspeltVariable,
        Code::UnusedVariable,
        Code::UnknownPartial,
        Code::YamlComment,
        Code::ForeignSyntax,
    ] {
        assert!(codes.contains(&code), "{code}");
    }
}

#[test]
fn each_other_rule_finds_its_mistakes_and_nothing_else() {
    let codes = compare(include_str!("../data/yaml/check_findings.txt"), full_findings);
    for code in [
        Code::WrongType,
        Code::CircularPartial,
        Code::UnusedPartial,
        Code::SchemaMismatch,
        Code::PartialSpacing,
        Code::UnfencedVariable,
    ] {
        assert!(codes.contains(&code), "{code}");
    }
}

#[test]
fn every_code_has_its_own_name() {
    let names: std::collections::HashSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(names.len(), Code::ALL.len());
    let mut numbers: Vec<&str> = Code::ALL.iter().map(|code| code.number()).collect();
    numbers.sort_unstable();
    let expected: Vec<String> = (1..=numbers.len()).map(|number| format!("PM{number:03}")).collect();
    assert_eq!(numbers, expected);
}

#[test]
fn partials_of_the_engine_are_followed() {
    let options = TemplateOptions::default();
    let mut engine: BTreeMap<Box<str>, Template<Box<str>>> = BTreeMap::new();
    for (name, source) in
        [("tone", "Write for {{company}}. {{> deeper}}"), ("deeper", "{{#if vip}}VIP{{/if}}")]
    {
        engine.insert(name.into(), Template::parse(name, source, &options).expect("a partial"));
    }
    let text = "id: a\nformat: text\ntemplate: {content: '{{name}} {{> tone}}', variables: [name, vip]}\n";
    assert_eq!(
        lines_of(&findings(text, &options, &engine)),
        [
            "3:31 undeclared-variable prompt `a` uses `company` in partial `tone`, which its `variables` do not declare",
            "hint add `company` to `variables`",
        ]
    );
    engine.remove("deeper");
    let found = findings(text, &options, &engine);
    assert_eq!(found[0].message, "there is no partial `deeper`, which partial `tone` includes (prompt `a`)");
    assert_eq!(found[0].severity(), Severity::Error);
}

#[test]
fn a_partial_that_is_announced_may_come_later() {
    let options = TemplateOptions { known_partials: ["later".into()].into(), ..TemplateOptions::default() };
    let text = "id: a\nformat: text\ntemplate: {content: '{{> later}}', variables: [name]}\n";
    assert_eq!(lines_of(&findings(text, &options, &EmptyLibrary)), Vec::<String>::new());
}

#[test]
fn in_compat_mode_a_loop_may_read_the_variables_around_it() {
    let text = "id: a\nformat: text\ntemplate: {content: '{{#each docs}}{{name}}{{/each}}', variables: [docs, name]}\n";
    let compat = TemplateOptions { compat: true, ..TemplateOptions::default() };
    assert_eq!(lines_of(&findings(text, &compat, &EmptyLibrary)), Vec::<String>::new());
    assert_eq!(findings(text, &TemplateOptions::default(), &EmptyLibrary)[0].code, Code::OuterVariable);
}

#[test]
fn the_report_shows_code_place_line_and_hint() {
    let found = findings(
        "id: a\nformat: text\ntemplate: {content: '{{nmae}}', variables: [name]}\n",
        &TemplateOptions::default(),
        &EmptyLibrary,
    );
    assert_eq!(
        found[0].report(),
        "prompt `a` uses `nmae`, which its `variables` do not declare [PM016 misspelt-variable]\n  at f.yaml:3:24\n  \
         3 | template: {content: '{{nmae}}', variables: [name]}\n    |                        ^\n  \
         hint: did you mean `name`?"
    );
}

#[test]
fn a_directory_gives_warnings_and_errors_as_findings() {
    let root = tempfile::tempdir().expect("a directory");
    let write = |name: &str, text: &str| {
        let path: PathBuf = root.path().join(name);
        std::fs::write(path, text).expect("a file");
    };
    write("a.yaml", "id: a\nformat: text\ntemplate: {content: '{{x}}', variables: [x, y]}\n");
    write("b.yaml", "id: b\nformat: text\ntemplate: '{{> gone}}'\n");
    write("c.yaml", "id: c\nformat: text\ntemplate: '{{shout x}}'\n");
    write("d.yaml", "id: d\nformat: txt\ntemplate: x\n");
    let mut loaded =
        directory::load::<Box<str>>(root.path(), None, &TemplateOptions::default(), &EmptyLibrary)
            .expect("the directory can be read");
    assert_eq!(loaded.prompts.len(), 1);
    let found: Vec<(&str, usize)> = loaded
        .findings(true)
        .iter()
        .map(|finding| (finding.code.as_str(), finding.place.as_ref().map_or(0, |place| place.line)))
        .collect();
    assert_eq!(
        found,
        [("unused-variable", 3), ("unknown-partial", 3), ("unknown-helper", 3), ("invalid-prompt", 2)]
    );
}

#[test]
fn a_changed_schema_checks_the_prompts_again() {
    let (prompts, schemas) = (tempfile::tempdir().expect("one"), tempfile::tempdir().expect("two"));
    let (options, mut cache) = (TemplateOptions::default(), directory::FileCache::default());
    let text = "id: a\nformat: text\ntemplate: {content: '{{x}} {{y}}', variables: [x]}\ninput_schema: s\n";
    std::fs::write(prompts.path().join("a.yaml"), text).expect("a file");
    let mut load = |field: &str| {
        let schema = format!("schemas:\n- name: s\n  fields:\n  - {{name: {field}, type: string}}\n");
        std::fs::write(schemas.path().join("s.yaml"), schema).expect("a file");
        let loaded = directory::load_again::<Box<str>>(
            prompts.path(),
            Some(schemas.path()),
            &options,
            &EmptyLibrary,
            &mut cache,
        );
        loaded.expect("it can be read").warnings.len()
    };
    assert_eq!(load("y"), 0);
    assert_eq!(load("z"), 1);
}
