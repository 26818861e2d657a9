//! The template as it was written: what the parser makes, the whitespace pass trims, and everything else reads.
//!
//! Nothing is resolved here: whether a name is a helper or a variable is decided later. Every node knows its span.
//! Texts are pieces of the source wherever they stand there as they are, so that a tree costs few allocations.

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
pub struct Program<'s> {
    /// The statements in order.
    pub body: Vec<Statement<'s>>,
    /// The names after `as |`.
    pub block_params: Vec<Cow<'s, str>>,
    /// Whether this is the branch of an `{{else name}}`: its body is that one block.
    pub chained: bool,
}

/// One statement.
#[derive(Debug, Clone, PartialEq)]
pub enum Statement<'s> {
    /// Text between tags.
    Content(Content<'s>),
    /// `{{! … }}`
    Comment(Comment<'s>),
    /// `{{name}}`, `{{{name}}}`, `{{&name}}`, with arguments or without.
    Mustache(Mustache<'s>),
    /// `{{#name}} … {{/name}}`, inverse and raw blocks too.
    Block(Box<Block<'s>>),
    /// `{{> name}}`
    Partial(Box<Partial<'s>>),
    /// `{{#> name}} … {{/name}}`
    PartialBlock(Box<PartialBlock<'s>>),
    /// `{{#*inline "name"}} … {{/inline}}`
    Inline(Box<Inline<'s>>),
}

/// Text between tags. Whitespace control trims it from both ends and never elsewhere.
#[derive(Debug, Clone, PartialEq)]
pub struct Content<'s> {
    /// The text as written, escapes resolved.
    pub original: Cow<'s, str>,
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

impl Content<'_> {
    /// What is left of the text.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.original[self.from..self.to]
    }
}

/// `{{! … }}`: its text is never printed, its tildes count.
#[derive(Debug, Clone, PartialEq)]
pub struct Comment<'s> {
    /// What stands between `{{!` and `}}`, the dashes of `{{!-- … --}}` included.
    pub text: &'s str,
    /// The tildes.
    pub strip: Strip,
    /// Where it stands.
    pub span: Span,
}

/// A tag that prints.
#[derive(Debug, Clone, PartialEq)]
pub struct Mustache<'s> {
    /// What is printed.
    pub call: Call<'s>,
    /// Whether an escaping engine escapes it: not in `{{{ }}}` and `{{& }}`.
    pub escaped: bool,
    /// The tildes.
    pub strip: Strip,
    /// Where it stands.
    pub span: Span,
}

/// A name with arguments: a variable or a helper, in a tag or in parentheses.
#[derive(Debug, Clone, PartialEq)]
pub struct Call<'s> {
    /// The name; a literal may stand here too and names a variable then.
    pub callee: Expr<'s>,
    /// The arguments by position.
    pub params: Vec<Expr<'s>>,
    /// The arguments by name.
    pub hash: Vec<(Cow<'s, str>, Expr<'s>)>,
    /// Where it stands, without the tag's braces.
    pub span: Span,
}

/// A block.
#[derive(Debug, Clone, PartialEq)]
pub struct Block<'s> {
    /// What decides about the branches.
    pub call: Call<'s>,
    /// The first branch. Absent in `{{^name}} … {{/name}}`, whose only branch is the inverse.
    pub program: Option<Program<'s>>,
    /// The branch after `{{else}}`.
    pub inverse: Option<Program<'s>>,
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
pub struct Partial<'s> {
    /// Its name, or an expression that gives it.
    pub name: Expr<'s>,
    /// What it sees as `this`.
    pub context: Option<Expr<'s>>,
    /// Values added to that.
    pub hash: Vec<(Cow<'s, str>, Expr<'s>)>,
    /// The tildes.
    pub strip: Strip,
    /// The white space before it, where it stands alone on its line.
    pub indent: String,
    /// Where it stands.
    pub span: Span,
}

/// A partial that is given a block.
#[derive(Debug, Clone, PartialEq)]
pub struct PartialBlock<'s> {
    /// The partial.
    pub partial: Partial<'s>,
    /// What `{{> @partial-block}}` shows in it, and what shows instead of it where it does not exist.
    pub program: Program<'s>,
    /// The tildes of the closing tag.
    pub close_strip: Strip,
}

/// A partial that is defined within a template.
#[derive(Debug, Clone, PartialEq)]
pub struct Inline<'s> {
    /// An expression that gives its name.
    pub name: Expr<'s>,
    /// Its statements.
    pub program: Program<'s>,
    /// The tildes of the opening tag.
    pub open_strip: Strip,
    /// The tildes of the closing tag.
    pub close_strip: Strip,
    /// Where the opening tag stands.
    pub span: Span,
}

/// An expression and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr<'s> {
    /// What it is.
    pub kind: ExprKind<'s>,
    /// Where it stands.
    pub span: Span,
}

/// The kinds of expressions.
#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind<'s> {
    /// `user.name`, `../x`, `@index`
    Path(Path<'s>),
    /// `(name arguments)`
    Call(Box<Call<'s>>),
    /// `"text"`
    String(Cow<'s, str>),
    /// `12`, `-1.5`, as written
    Number(&'s str),
    /// `true`, `false`
    Bool(bool),
    /// `undefined`
    Undefined,
    /// `null`
    Null,
}

/// A path to a value.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Path<'s> {
    /// As written, without brackets: what a closing tag must repeat.
    pub original: Cow<'s, str>,
    /// Whether it begins with `@`.
    pub data: bool,
    /// How many `..` lead it.
    pub depth: usize,
    /// The names, from the outermost.
    pub parts: Names<'s>,
    /// Whether it begins with `.`, `..` or `this`, which makes it a variable even where a helper has its name.
    pub scoped: bool,
}

/// The names of a path. Most have one, which needs no list of its own.
#[derive(Debug, Clone, PartialEq)]
pub enum Names<'s> {
    /// One.
    One([Cow<'s, str>; 1]),
    /// None, or several.
    Several(Vec<Cow<'s, str>>),
}

impl<'s> Names<'s> {
    /// Adds a name at the end.
    pub fn push(&mut self, name: Cow<'s, str>) {
        *self = match std::mem::take(self) {
            Self::Several(names) if names.is_empty() => Self::One([name]),
            Self::Several(mut names) => {
                names.push(name);
                Self::Several(names)
            }
            Self::One([first]) => Self::Several(vec![first, name]),
        };
    }
}

impl Default for Names<'_> {
    fn default() -> Self {
        Self::Several(Vec::new())
    }
}

impl<'s> std::ops::Deref for Names<'s> {
    type Target = [Cow<'s, str>];

    fn deref(&self) -> &Self::Target {
        match self {
            Self::One(name) => name,
            Self::Several(names) => names,
        }
    }
}

impl Path<'_> {
    /// The one name of a path that may be a helper's: no `@`, `..`, `this` or second name.
    #[must_use]
    pub fn simple_name(&self) -> Option<&str> {
        match &*self.parts {
            [name] if !self.scoped && !self.data && self.depth == 0 => Some(name),
            _ => None,
        }
    }
}

impl<'s> Expr<'s> {
    /// The expression where a name is called for: a literal there names a variable.
    #[must_use]
    pub fn as_path(&self) -> Option<Cow<'_, Path<'s>>> {
        let name: Cow<'s, str> = match &self.kind {
            ExprKind::Path(path) => return Some(Cow::Borrowed(path)),
            ExprKind::Call(_) => return None,
            ExprKind::String(text) => text.clone(),
            ExprKind::Number(text) => super::number::canonical(text).into(),
            ExprKind::Bool(true) => "true".into(),
            ExprKind::Bool(false) => "false".into(),
            ExprKind::Undefined => "undefined".into(),
            ExprKind::Null => "null".into(),
        };
        Some(Cow::Owned(Path { original: name.clone(), parts: Names::One([name]), ..Path::default() }))
    }

    /// What [`Expr::as_path`] is written as; empty for a call.
    #[must_use]
    pub fn name(&self) -> Cow<'_, str> {
        match self.as_path() {
            Some(Cow::Borrowed(path)) => Cow::Borrowed(&path.original),
            Some(Cow::Owned(path)) => path.original,
            None => Cow::Borrowed(""),
        }
    }
}
