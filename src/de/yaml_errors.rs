//! Explains the mistakes in YAML that authors of prompts make. The parser's own messages use the words of the YAML
//! specification, such as "scalar" and "flow mapping".

use granit_parser::ErrorKind;

/// The message and the hint for a mistake. `None` for a mistake that has only the parser's message.
pub(super) fn explained(kind: &ErrorKind) -> Option<(&'static str, &'static str)> {
    Some(match kind {
        ErrorKind::UnclosedQuotedScalar => ("this quote is never closed", "add the closing quote"),
        ErrorKind::InvalidQuotedScalarIndent => (
            "the text in quotes before this line has no closing quote",
            "add the closing quote, or indent the lines of the text",
        ),
        ErrorKind::InvalidTrailingSingleQuotedScalar | ErrorKind::InvalidTrailingDoubleQuotedScalar => (
            "the value goes on after its closing quote",
            "inside \"…\" write a quote as `\\\"`, inside '…' as `''`; or write the value as a block with `|`",
        ),
        ErrorKind::UnknownQuotedScalarEscape => (
            "a text in double quotes has an unknown escape",
            "write a backslash as `\\\\`, or use single quotes",
        ),
        ErrorKind::MappingValueNotAllowed => (
            "a key and its colon are not allowed here",
            "put a value that contains a colon in quotes, and align a key with the keys beside it",
        ),
        ErrorKind::ExpectedBlockMappingKey => (
            "expected a key with the indentation of the keys before it",
            "align the line with the other keys, or indent it as far as the text that it belongs to",
        ),
        ErrorKind::ExpectedBlockSequenceEntry => (
            "expected a list item with the indentation of the items before it",
            "align a key with the keys of its item, and begin the next item with `-` in the same column as the others",
        ),
        ErrorKind::SimpleKeyExpected => (
            "expected a key with a colon",
            "write `key: value`, with a space after the colon; indent the lines of a block of text (`|`) further than its key",
        ),
        ErrorKind::UnexpectedCharacter { .. } => {
            ("a value cannot begin with this character", "put the value in quotes")
        }
        ErrorKind::InvalidBlockScalarHeader => (
            "a block of text cannot begin on the line of its `|` or `>`",
            "begin the text on the next line and indent it, or put it in quotes",
        ),
        _ => return None,
    })
}
