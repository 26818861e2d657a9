//! Maps a line and column of a template to those of its file.

use prompt_manager::prompt::TemplateLocation;
use prompt_manager::store::yaml::read_prompts;

/// The line and column in the file, and the character at that position.
fn at(
    text: &str,
    location: TemplateLocation<'_>,
    line: usize,
    column: usize,
) -> Option<(usize, usize, Option<char>)> {
    let file = read_prompts("f.yaml", text);
    let place = file.prompts.last().expect("the file is good").place_in_file(location, line, column)?;
    let found = text.lines().nth(place.line - 1).and_then(|line| line.chars().nth(place.column - 1));
    Some((place.line, place.column, found))
}

#[test]
fn a_template_on_one_line_maps_exactly() {
    for (template, column, expected) in [
        ("Hello {{name}}", 7, 17),
        ("\"Hello {{name}}\"", 7, 18),
        ("'é {{name}}'", 3, 14),
        ("&t \"{{name}}\"", 1, 15),
    ] {
        let text = format!("id: a\nformat: text\ntemplate: {template}\n");
        assert_eq!(
            at(&text, TemplateLocation::Template, 1, column),
            Some((3, expected, Some('{'))),
            "{template}"
        );
    }
}

#[test]
fn a_template_in_a_literal_block_maps_exactly() {
    let text = "id: a\nformat: text\ntemplate:\n  content: |-\n\n    first {{a}}\n\n      third {{b}}\n";
    assert_eq!(at(text, TemplateLocation::Template, 2, 7), Some((6, 11, Some('{'))));
    assert_eq!(at(text, TemplateLocation::Template, 4, 9), Some((8, 13, Some('{'))));
    let indented = "id: a\nformat: text\ntemplate: |2\n    deep {{a}}\n  flat {{b}}\n";
    assert_eq!(at(indented, TemplateLocation::Template, 1, 8), Some((4, 10, Some('{'))));
    assert_eq!(at(indented, TemplateLocation::Template, 2, 6), Some((5, 8, Some('{'))));
    let windows = "id: a\r\nformat: text\r\ntemplate: |\r\n  x\r\n  y {{a}}\r\n";
    assert_eq!(at(windows, TemplateLocation::Template, 2, 3), Some((5, 5, Some('{'))));
}

#[test]
fn a_template_that_yaml_rewrites_maps_exactly() {
    for (template, column, expected) in [
        ("\"a\\tb {{c}}\"", 5, (3, 17)),
        ("'it''s {{c}}'", 6, (3, 18)),
        ("a\n  b {{c}}", 5, (4, 5)),
        ("\"a\n  b {{c}}\"", 5, (4, 5)),
        (">-\n  a\n  b {{c}}", 5, (5, 5)),
    ] {
        let text = format!("id: a\nformat: text\ntemplate: {template}\n");
        let (line, column) = place_in_file(&text, column);
        assert_eq!((line, column), expected, "{template}");
    }
}

#[test]
fn a_template_whose_escapes_are_not_known_maps_to_its_start() {
    assert_eq!(place_in_file("id: a\nformat: text\ntemplate: \"\\e {{c}}\"\n", 3), (3, 11));
}

/// The place in the file of a column in the first line of the template.
fn place_in_file(text: &str, column: usize) -> (usize, usize) {
    let (line, column, _) = at(text, TemplateLocation::Template, 1, column).expect("it has a place");
    (line, column)
}

#[test]
fn messages_parts_and_partials_map_in_reading_order() {
    let text = "id: first\nformat: text\ntemplate: x\n---\nid: a\nformat: chat\nchat_template:\n  messages:\n    \
                - role: system\n      name: bot\n      content: |\n        one\n        two {{x}}\n    \
                - {role: placeholder, name: history}\n    - role: user\n      content:\n        - bare {{x}}\n        \
                - {type: text, text: 'part {{x}}'}\n  partials:\n    tone: |\n      Be {{x}}\n";
    let message = |index, text| TemplateLocation::Message { index, text };
    assert_eq!(at(text, message(0, 0), 2, 5), Some((13, 13, Some('{'))));
    assert_eq!(at(text, message(0, 1), 1, 1), Some((10, 13, Some('b'))));
    assert_eq!(at(text, message(1, 0), 1, 1), None);
    assert_eq!(at(text, message(2, 0), 1, 6), Some((17, 16, Some('{'))));
    assert_eq!(at(text, message(2, 1), 1, 6), Some((18, 36, Some('{'))));
    assert_eq!(at(text, TemplateLocation::Partial("tone"), 1, 4), Some((21, 10, Some('{'))));
    assert_eq!(at(text, TemplateLocation::Partial("none"), 1, 1), None);
    assert_eq!(at(text, TemplateLocation::Template, 1, 1), None);
}

#[test]
fn a_template_behind_an_alias_maps_to_its_anchor() {
    let text = "id: a\nformat: chat\nchat_template:\n  messages:\n    - {role: system, content: &t \"x {{a}}\"}\n    \
                - {role: user, content: *t}\n";
    assert_eq!(at(text, TemplateLocation::Message { index: 1, text: 0 }, 1, 3), Some((5, 37, Some('{'))));
}
