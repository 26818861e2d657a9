//! Hints for mistakes that people bring along from other template languages.

/// For braces that were doubled as in an f-string.
pub(super) const BRACES: &str = "to print two braces as text, write `\\{{`";

/// For a member of an object whose fields are not declared.
pub(super) const UNKNOWN_CLASS: &str = "a template reads mappings, and declared fields as of dataclasses and pydantic \
     models; open those of another class with `engine.register_type(Class, fields=[…])`";

/// For a variable that has no value and the name of a partial.
#[must_use]
pub fn partial(name: &str) -> String {
    format!("there is a partial of this name: include it with `{{{{> {name}}}}}`")
}

/// The longest part of a tag that is looked at, in bytes.
const TAG: usize = 300;

/// A hint for a tag that cannot be read. `at` is the place of the error.
pub(super) fn for_tag(source: &str, at: usize) -> Option<String> {
    let at = at.min(source.len());
    let start = source
        .get(..at)?
        .rfind("{{")
        .or_else(|| source.get(at..).filter(|rest| rest.starts_with("{{")).map(|_| at))?;
    let mut end = (start + TAG).min(source.len());
    while !source.is_char_boundary(end) {
        end -= 1;
    }
    let rest = &source[start..end];
    let inner = rest.trim_start_matches(['{', '#', '^', '/', '~', '&', '>', ' ']);
    let closed = inner.find("}}");
    let inner = &inner[..closed.unwrap_or(inner.len())];
    if closed.is_some_and(|_| rest.contains("}}}")) && !rest.starts_with("{{{") {
        return Some("`}}}` closes `{{{`: write a space before the last brace, `{{name}} }`, or `{{name~}} }` for none".to_owned());
    }
    if inner.starts_with(['"', '\'']) && inner.contains(':') || is_first_word_followed_by(inner, ':') {
        return Some(BRACES.to_owned());
    }
    if inner.starts_with('=') {
        return Some(
            "tags are always in double braces: remove this tag, and write `{{name}}` for a variable"
                .to_owned(),
        );
    }
    if let Some(operator) = operator(inner) {
        let (sign, helper) = operator;
        return Some(format!(
            "there is no operator `{sign}`: write `({helper} a b)`, as in `{{{{#if ({helper} a b)}}}}`"
        ));
    }
    if let Some(call) = call_of_filter(inner) {
        return Some(format!("there is no `|`: call a helper by its name first, `{{{{{call}}}}}`"));
    }
    if inner.contains(['“', '”', '„', '‘', '’']) {
        return Some("curly quotes are part of a name here: use plain ones, `'text'`".to_owned());
    }
    if inner.starts_with('%') {
        return Some("write blocks as `{{#if x}} … {{/if}}` and `{{#each list}} … {{/each}}`".to_owned());
    }
    if let Some((name, index)) = inner.find('[').map(|bracket| inner.split_at(bracket))
        && is_path(name)
        && !name.ends_with(['.', '/'])
        && index.contains(']')
    {
        return Some(format!("write a dot before the bracket: `{name}.{}`", index.trim_end()));
    }
    if let Some(hint) = for_name(inner.split(char::is_whitespace).next()?) {
        return Some(hint.to_owned());
    }
    if let Some(hint) = for_call_with_parentheses(inner).or_else(|| for_field_of_go(inner)) {
        return Some(hint);
    }
    if let Some(hint) = for_missing_end(inner, closed.is_some()) {
        return Some(hint);
    }
    let has_comma = inner.contains(',') && !inner.contains(['"', '\'']);
    has_comma.then(|| "separate the arguments of a helper with spaces, not with commas".to_owned())
}

/// The call of a helper that does what a filter does: `default name 'you'` for `name|default:'you'`.
fn call_of_filter(inner: &str) -> Option<String> {
    let (value, filter) = inner.split_once('|').filter(|(value, _)| !value.trim_end().ends_with(" as"))?;
    let (value, filter) = (value.trim(), filter.trim());
    let end = filter.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(filter.len());
    let (name, argument) = filter.split_at(end);
    if !is_path(value) || name.is_empty() {
        return None;
    }
    let argument =
        argument.split('|').next()?.trim().trim_start_matches([':', '(']).trim_end_matches(')').trim();
    let is_literal = |quote| argument.len() > 1 && argument.starts_with(quote) && argument.ends_with(quote);
    let is_known = is_path(argument) || is_literal('"') || is_literal('\'');
    Some(if is_known { format!("{name} {value} {argument}") } else { format!("{name} {value}") })
}

/// The operator in a tag, and the helper that does the same.
fn operator(inner: &str) -> Option<(&'static str, &'static str)> {
    const OPERATORS: [(&str, &str); 10] = [
        ("===", "eq"),
        ("!==", "ne"),
        ("==", "eq"),
        ("!=", "ne"),
        (">=", "gte"),
        ("<=", "lte"),
        ("&&", "and"),
        ("||", "or"),
        (" > ", "gt"),
        (" < ", "lt"),
    ];
    let found = OPERATORS.into_iter().find(|(sign, _)| inner.contains(sign))?;
    Some((found.0.trim(), found.1))
}

/// A hint for a tag whose line ends, or another tag begins, before its `}}`.
fn for_missing_end(inner: &str, is_closed: bool) -> Option<String> {
    let name: String =
        inner.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '/' | '@')).collect();
    let is_open = !is_closed || inner.contains("{{");
    (is_open && !name.is_empty()).then(|| format!("end the tag with `}}}}`, as in `{{{{{name}}}}}`"))
}

/// A hint for `name.upper()` and `len(items)`.
fn for_call_with_parentheses(inner: &str) -> Option<String> {
    let (name, arguments) = inner.split_once('(')?;
    let name = name.rsplit(char::is_whitespace).next().filter(|name| is_path(name))?;
    let first: String =
        arguments.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '.')).collect();
    Some(if name.contains('.') || !is_path(&first) {
        "a template cannot call methods: use a helper, such as `{{upper name}}`, or give the result as a variable"
            .to_owned()
    } else {
        format!("write the arguments of a helper behind its name, with spaces: `{{{{{name} {first}}}}}`")
    })
}

/// A hint for `.Name`, as Go's templates have it.
fn for_field_of_go(inner: &str) -> Option<String> {
    let name: String = inner
        .strip_prefix('.')?
        .chars()
        .take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '.'))
        .collect();
    let is_name = name.starts_with(|c: char| c.is_alphabetic() || c == '_');
    is_name.then(|| format!("write the name of a variable without a dot before it: `{{{{{name}}}}}`"))
}

fn is_path(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '/' | '@'))
}

fn is_first_word_followed_by(inner: &str, mark: char) -> bool {
    let rest = inner.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_');
    rest.len() < inner.len() && rest.trim_start().starts_with(mark)
}

/// A hint for a call that is one of dotprompt.
pub(super) fn for_call(name: &str) -> Option<&'static str> {
    Some(match name {
        "role" => "write messages in the file: `messages: [{role: system, content: …}]`",
        "media" => "write an image as a part: `content: [{type: image_url, image_url: {url: …}}]`",
        "history" => "write a placeholder: `messages: [{role: placeholder, name: history}]`",
        _ => return None,
    })
}

/// A hint for a name that is a keyword of another template language.
pub(super) fn for_name(name: &str) -> Option<&'static str> {
    Some(match name {
        "for" | "foreach" | "loop" | "range" => "loop with `{{#each list}} … {{/each}}`",
        "elif" | "elseif" | "elsif" => "write `{{else if condition}}`",
        "endif" => "close the block with `{{/if}}`",
        "endfor" | "endeach" => "close the loop with `{{/each}}`",
        "end" => "close a block with its name: `{{/if}}`, `{{/each}}`",
        "include" | "render" => "include a partial with `{{> name}}`",
        "set" | "assign" | "let" => {
            "a template cannot set variables; pass a value to a partial: `{{> name key=value}}`"
        }
        "switch" | "case" => "write `{{#if (eq a b)}} … {{else if (eq a c)}} … {{/if}}`",
        "ifEquals" | "ifeq" | "ifEq" | "equals" | "is" => "write `{{#if (eq a b)}}`",
        "toJSON" | "tojson" | "stringify" | "to_json" => "write `{{json value}}`",
        "uppercase" | "toUpperCase" => "write `{{upper text}}`",
        "lowercase" | "toLowerCase" => "write `{{lower text}}`",
        "concat" => "write the values one after the other: `{{a}}{{b}}`",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::for_tag;

    #[test]
    fn known_mistakes_get_a_hint() {
        for (source, hint) in [
            ("{\"a\": {{x}}}", "space before the last brace"),
            ("{{\"a\": 1}}", "`\\{{`"),
            ("{{a: 1}}", "`\\{{`"),
            ("{{#if a == b}}x{{/if}}", "(eq a b)"),
            ("{{#if a >= b}}x{{/if}}", "(gte a b)"),
            ("{{#if a && b}}x{{/if}}", "(and a b)"),
            ("{{x|upper}}", "{{upper x}}"),
            ("{{ user.name | upper }}", "{{upper user.name}}"),
            ("{{name|default:'you'}}", "`{{default name 'you'}}`"),
            ("{{ name | truncate(20) | upper }}", "`{{truncate name 20}}`"),
            ("{{join names separator=‘, ’}}", "use plain ones"),
            ("{{x[0].y}}", "x.[0].y"),
            ("{{=<% %>=}} <% x %>", "always in double braces"),
            ("{{% if x %}}", "{{#if x}}"),
            ("{{name.upper()}}", "{{upper name}}"),
            ("{{#if user.is_vip()}}x{{/if}}", "cannot call methods"),
            ("{{len(items)}}", "{{len items}}"),
            ("{{ .User.Name }}", "{{User.Name}}"),
            ("{{name, how are you? {{x}}", "end the tag with `}}`, as in `{{name}}`"),
            ("{{ticket\n</ticket>", "as in `{{ticket}}`"),
            ("{{#for key, value in items.items()}}", "{{#each list}}"),
            ("{{join names, separator}}", "with spaces"),
        ] {
            let found = for_tag(source, source.len() / 2).unwrap_or_default();
            assert!(found.contains(hint), "{source}: {found}");
        }
    }
}
