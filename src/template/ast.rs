//! The template as it was written: what the parser makes, the whitespace pass trims, and everything else reads.
//!
//! Nothing is resolved here: whether a name is a helper or a variable is decided later. Every node knows its span.

use std::borrow::Cow;

use super::lexer::Tilde;

/// A piece of the source, as byte offsets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

/// The tildes at the two ends of a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Strip {
    /// `{{~`
    pub open: Tilde,
    /// `~}}`
    pub close: Tilde,
}

/// The statements of a template or of one branch of a block.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Program {
    /// The statements in order.
    pub body: Vec<Statement>,
    /// The names after `as |`.
    pub block_params: Vec<String>,
    /// Whether this is the branch of an `{{else name}}`: its body is that one block.
    pub chained: bool,
}

/// One statement.
#[derive(Debug, Clone, PartialEq)]
pub enum Statement {
    /// Text between tags.
    Content(Content),
    /// `{{! … }}`
    Comment(Comment),
    /// `{{name}}`, `{{{name}}}`, `{{&name}}`, with arguments or without.
    Mustache(Mustache),
    /// `{{#name}} … {{/name}}`, inverse and raw blocks too.
    Block(Box<Block>),
    /// `{{> name}}`
    Partial(Box<Partial>),
    /// `{{#> name}} … {{/name}}`
    PartialBlock(Box<PartialBlock>),
    /// `{{#*inline "name"}} … {{/inline}}`
    Inline(Box<Inline>),
}

/// Text between tags. Whitespace control trims it from both ends and never elsewhere.
#[derive(Debug, Clone, PartialEq)]
pub struct Content {
    /// The text as written, escapes resolved.
    pub original: String,
    /// Where what is left begins in `original`.
    pub from: usize,
    /// Where what is left ends in `original`.
    pub to: usize,
    /// Whether a standalone line or a tilde took something from the end.
    pub left_stripped: bool,
    /// Whether a standalone line or a tilde took something from the start.
    pub right_stripped: bool,
    /// Where it stands.
    pub span: Span,
}

impl Content {
    /// What is left of the text.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.original[self.from..self.to]
    }
}

/// `{{! … }}`: its text is never printed, its tildes count.
#[derive(Debug, Clone, PartialEq)]
pub struct Comment {
    /// What stands between `{{!` and `}}`, the dashes of `{{!-- … --}}` included.
    pub text: String,
    /// The tildes.
    pub strip: Strip,
    /// Where it stands.
    pub span: Span,
}

/// A tag that prints.
#[derive(Debug, Clone, PartialEq)]
pub struct Mustache {
    /// What is printed.
    pub call: Call,
    /// Whether an escaping engine escapes it: not in `{{{ }}}` and `{{& }}`.
    pub escaped: bool,
    /// The tildes.
    pub strip: Strip,
    /// Where it stands.
    pub span: Span,
}

/// A name with arguments: a variable or a helper, in a tag or in parentheses.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The name; a literal may stand here too and names a variable then.
    pub callee: Expr,
    /// The arguments by position.
    pub params: Vec<Expr>,
    /// The arguments by name.
    pub hash: Vec<(String, Expr)>,
    /// Where it stands, without the tag's braces.
    pub span: Span,
}

/// A block.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// What decides about the branches.
    pub call: Call,
    /// The first branch. Absent in `{{^name}} … {{/name}}`, whose only branch is the inverse.
    pub program: Option<Program>,
    /// The branch after `{{else}}`.
    pub inverse: Option<Program>,
    /// The tildes of the opening tag.
    pub open_strip: Strip,
    /// The tildes of `{{else}}`.
    pub inverse_strip: Strip,
    /// The tildes of the closing tag.
    pub close_strip: Strip,
    /// Whether it is `{{{{name}}}} … {{{{/name}}}}`.
    pub raw: bool,
    /// Where the opening tag stands.
    pub span: Span,
}

/// A partial that is included.
#[derive(Debug, Clone, PartialEq)]
pub struct Partial {
    /// Its name, or an expression that gives it.
    pub name: Expr,
    /// What it sees as `this`.
    pub context: Option<Expr>,
    /// Values added to that.
    pub hash: Vec<(String, Expr)>,
    /// The tildes.
    pub strip: Strip,
    /// The white space before it, where it stands alone on its line.
    pub indent: String,
    /// Where it stands.
    pub span: Span,
}

/// A partial that is given a block.
#[derive(Debug, Clone, PartialEq)]
pub struct PartialBlock {
    /// The partial.
    pub partial: Partial,
    /// What `{{> @partial-block}}` shows in it, and what shows instead of it where it does not exist.
    pub program: Program,
    /// The tildes of the closing tag.
    pub close_strip: Strip,
}

/// A partial that is defined within a template.
#[derive(Debug, Clone, PartialEq)]
pub struct Inline {
    /// An expression that gives its name.
    pub name: Expr,
    /// Its statements.
    pub program: Program,
    /// The tildes of the opening tag.
    pub open_strip: Strip,
    /// The tildes of the closing tag.
    pub close_strip: Strip,
    /// Where the opening tag stands.
    pub span: Span,
}

/// An expression and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands.
    pub span: Span,
}

/// The kinds of expressions.
#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    /// `user.name`, `../x`, `@index`
    Path(Path),
    /// `(name arguments)`
    Call(Box<Call>),
    /// `"text"`
    String(String),
    /// `12`, `-1.5`, as written
    Number(String),
    /// `true`, `false`
    Bool(bool),
    /// `undefined`
    Undefined,
    /// `null`
    Null,
}

/// A path to a value.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Path {
    /// As written, without brackets: what a closing tag must repeat.
    pub original: String,
    /// Whether it begins with `@`.
    pub data: bool,
    /// How many `..` lead it.
    pub depth: usize,
    /// The names, from the outermost.
    pub parts: Vec<String>,
    /// Whether it begins with `.`, `..` or `this`, which makes it a variable even where a helper has its name.
    pub scoped: bool,
}

impl Path {
    /// The one name of a path that may be a helper's: no `@`, `..`, `this` or second name.
    #[must_use]
    pub fn simple_name(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [name] if !self.scoped && !self.data && self.depth == 0 => Some(name),
            _ => None,
        }
    }
}

impl Expr {
    /// The expression where a name is called for: a literal there names a variable.
    #[must_use]
    pub fn as_path(&self) -> Option<Cow<'_, Path>> {
        let name = match &self.kind {
            ExprKind::Path(path) => return Some(Cow::Borrowed(path)),
            ExprKind::Call(_) => return None,
            ExprKind::String(text) => text.clone(),
            ExprKind::Number(text) => super::number::canonical(text),
            ExprKind::Bool(value) => value.to_string(),
            ExprKind::Undefined => "undefined".to_owned(),
            ExprKind::Null => "null".to_owned(),
        };
        Some(Cow::Owned(Path { original: name.clone(), parts: vec![name], ..Path::default() }))
    }

    /// What [`Expr::as_path`] is written as; empty for a call.
    #[must_use]
    pub fn name(&self) -> Cow<'_, str> {
        match self.as_path() {
            Some(Cow::Borrowed(path)) => Cow::Borrowed(&path.original),
            Some(Cow::Owned(path)) => Cow::Owned(path.original),
            None => Cow::Borrowed(""),
        }
    }
}
