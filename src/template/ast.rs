//! The syntax tree. The parser builds it, the whitespace pass trims it, and the rest of the engine reads it.
//!
//! The tree resolves no names: whether a name is a helper or a variable is decided when the tree is compiled. Every
//! node has its place in the source. Texts borrow from the source where they can, so a tree costs few allocations.

use std::borrow::Cow;

use super::lexer::Tilde;

/// The name by which a partial renders the block that was passed to it.
pub(super) const PARTIAL_BLOCK: &str = "@partial-block";

/// A range of the source, in byte offsets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last one.
    pub end: usize,
}

/// Which ends of a tag have a tilde.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Strip {
    /// Whether the tag opens with `{{~`.
    pub open: Tilde,
    /// Whether the tag closes with `~}}`.
    pub close: Tilde,
}

/// The statements of a template or of one branch of a block.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Program<'s> {
    /// The statements in order.
    pub body: Vec<Statement<'s>>,
    /// The block parameters: the names in `as |…|`.
    pub block_params: Vec<Cow<'s, str>>,
    /// Whether this is the branch of an `{{else name}}`. Its body is then exactly one block, the one on `name`.
    pub chained: bool,
}

/// One statement.
#[derive(Debug, Clone, PartialEq)]
pub enum Statement<'s> {
    /// Text between tags.
    Content(ContentNode<'s>),
    /// `{{! … }}`
    Comment(CommentNode<'s>),
    /// `{{name}}`, `{{{name}}}` or `{{&name}}`, with or without arguments.
    Mustache(MustacheNode<'s>),
    /// `{{#name}} … {{/name}}`; also inverse blocks and raw blocks.
    Block(Box<BlockNode<'s>>),
    /// `{{> name}}`
    Partial(Box<PartialNode<'s>>),
    /// `{{#> name}} … {{/name}}`
    PartialBlock(Box<PartialBlockNode<'s>>),
    /// `{{#*inline "name"}} … {{/inline}}`
    Inline(Box<InlineNode<'s>>),
}

/// Text between tags. Whitespace control trims only its two ends.
#[derive(Debug, Clone, PartialEq)]
pub struct ContentNode<'s> {
    /// The text as written, with escapes resolved.
    pub original: Cow<'s, str>,
    /// The byte of `original` at which the trimmed text begins.
    pub from: usize,
    /// The byte of `original` at which the trimmed text ends.
    pub to: usize,
    /// Whether a standalone line or a tilde removed white space at the end.
    pub left_stripped: bool,
    /// Whether a standalone line or a tilde removed white space at the start.
    pub right_stripped: bool,
    /// The place in the source.
    pub span: Span,
}

impl ContentNode<'_> {
    /// The trimmed text.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.original[self.from..self.to]
    }
}

/// A comment, `{{! … }}`. Its text is never printed; its tildes trim the text around it.
#[derive(Debug, Clone, PartialEq)]
pub struct CommentNode<'s> {
    /// The text between `{{!` and `}}`, including the dashes of `{{!-- … --}}`.
    pub text: &'s str,
    /// The tildes.
    pub strip: Strip,
    /// The place in the source.
    pub span: Span,
}

/// A tag that prints a value.
#[derive(Debug, Clone, PartialEq)]
pub struct MustacheNode<'s> {
    /// The value to print.
    pub call: CallNode<'s>,
    /// Whether an engine that escapes HTML escapes this value. False for `{{{ }}}` and `{{& }}`.
    pub escaped: bool,
    /// The tildes.
    pub strip: Strip,
    /// The place in the source.
    pub span: Span,
}

/// A name with its arguments, in a tag or in parentheses. The name is a variable's or a helper's.
#[derive(Debug, Clone, PartialEq)]
pub struct CallNode<'s> {
    /// The name. A literal in this position is the name of a variable.
    pub callee: ExprNode<'s>,
    /// The arguments. Most tags are a name alone: without a box, the lists would be a quarter of every node.
    pub arguments: Option<Box<ArgumentNodes<'s>>>,
    /// The place in the source, without the braces of the tag.
    pub span: Span,
}

/// The arguments of a name.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ArgumentNodes<'s> {
    /// The positional arguments.
    pub params: Vec<ExprNode<'s>>,
    /// The named arguments, in source order.
    pub hash: Vec<(Cow<'s, str>, ExprNode<'s>)>,
}

impl<'s> CallNode<'s> {
    /// The positional arguments.
    #[must_use]
    pub fn params(&self) -> &[ExprNode<'s>] {
        self.arguments.as_ref().map_or(&[], |arguments| &arguments.params)
    }

    /// The named arguments, in source order.
    #[must_use]
    pub fn hash(&self) -> &[(Cow<'s, str>, ExprNode<'s>)] {
        self.arguments.as_ref().map_or(&[], |arguments| &arguments.hash)
    }
}

/// A block, `{{#name}} … {{/name}}`.
#[derive(Debug, Clone, PartialEq)]
pub struct BlockNode<'s> {
    /// The helper or value that decides which branch is rendered.
    pub call: CallNode<'s>,
    /// The first branch. `None` for `{{^name}} … {{/name}}`, which has only an inverse branch.
    pub program: Option<Program<'s>>,
    /// The branch after `{{else}}`.
    pub inverse: Option<Program<'s>>,
    /// The tildes of the opening tag.
    pub open_strip: Strip,
    /// The tildes of `{{else}}`.
    pub inverse_strip: Strip,
    /// The tildes of the closing tag.
    pub close_strip: Strip,
    /// The line break after the opening tag that was removed because the tag is alone on its line. Empty if there was
    /// none.
    pub open_line_break: &'static str,
    /// The same for the closing tag.
    pub close_line_break: &'static str,
    /// Whether it is a raw block, `{{{{name}}}} … {{{{/name}}}}`.
    pub raw: bool,
    /// The place of the opening tag.
    pub span: Span,
}

/// A tag that includes a partial.
#[derive(Debug, Clone, PartialEq)]
pub struct PartialNode<'s> {
    /// The name of the partial, or an expression that gives the name.
    pub name: ExprNode<'s>,
    /// The value that is `this` in the partial. `None`: the current context.
    pub context: Option<ExprNode<'s>>,
    /// Named values that are added to the context.
    pub hash: Vec<(Cow<'s, str>, ExprNode<'s>)>,
    /// The tildes.
    pub strip: Strip,
    /// The white space before the tag if the tag is alone on its line. It indents each line of the partial.
    pub indent: String,
    /// The line break after the tag that was removed because the tag is alone on its line. Empty if there was none.
    pub line_break: &'static str,
    /// The place in the source.
    pub span: Span,
}

/// A tag that includes a partial and passes it a block.
#[derive(Debug, Clone, PartialEq)]
pub struct PartialBlockNode<'s> {
    /// The partial.
    pub partial: PartialNode<'s>,
    /// The block. `{{> @partial-block}}` renders it inside the partial. It is rendered in the partial's place if the
    /// partial does not exist.
    pub program: Program<'s>,
    /// The tildes of the closing tag.
    pub close_strip: Strip,
}

/// A partial that a template defines for its own use.
#[derive(Debug, Clone, PartialEq)]
pub struct InlineNode<'s> {
    /// An expression that gives its name.
    pub name: ExprNode<'s>,
    /// Named arguments, which an inline partial does not take. handlebars.js ignores them.
    pub hash: Vec<(Cow<'s, str>, ExprNode<'s>)>,
    /// The content of the partial.
    pub program: Program<'s>,
    /// The tildes of the opening tag.
    pub open_strip: Strip,
    /// The tildes of the closing tag.
    pub close_strip: Strip,
    /// The place of the opening tag.
    pub span: Span,
}

/// An expression with its place in the source.
#[derive(Debug, Clone, PartialEq)]
pub struct ExprNode<'s> {
    /// The kind of expression, with its parts.
    pub kind: ExprNodeKind<'s>,
    /// The place in the source.
    pub span: Span,
}

/// The kinds of expressions.
#[derive(Debug, Clone, PartialEq)]
pub enum ExprNodeKind<'s> {
    /// `user.name`, `../x`, `@index`
    Path(PathNode<'s>),
    /// `(name arguments)`
    Call(Box<CallNode<'s>>),
    /// `"text"`
    String(Cow<'s, str>),
    /// `12`, `-1.5`, as written in the source
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
pub struct PathNode<'s> {
    /// The path as written, without brackets. A closing tag must repeat it.
    pub original: Cow<'s, str>,
    /// Whether it begins with `@`.
    pub data: bool,
    /// How many `..` it begins with.
    pub depth: u32,
    /// The names, outermost first.
    pub parts: PathParts<'s>,
    /// Whether it begins with `.`, `..` or `this`. Such a path is a variable even if a helper has the same name.
    pub scoped: bool,
}

/// The names of a path. Most paths have one name, which needs no heap allocation.
#[derive(Debug, Clone, PartialEq)]
pub enum PathParts<'s> {
    /// One name.
    One([Cow<'s, str>; 1]),
    /// No names, or several.
    Several(Box<[Cow<'s, str>]>),
}

impl<'s> From<Vec<Cow<'s, str>>> for PathParts<'s> {
    fn from(names: Vec<Cow<'s, str>>) -> Self {
        <[_; 1]>::try_from(names).map_or_else(|names| Self::Several(names.into()), Self::One)
    }
}

impl Default for PathParts<'_> {
    fn default() -> Self {
        Self::Several(Box::default())
    }
}

impl<'s> std::ops::Deref for PathParts<'s> {
    type Target = [Cow<'s, str>];

    fn deref(&self) -> &Self::Target {
        match self {
            Self::One(name) => name,
            Self::Several(names) => names,
        }
    }
}

impl PathNode<'_> {
    /// How many contexts up it begins.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.depth as usize
    }

    /// The name, if the path is a single name that can be a helper's: without `@`, `..`, `this` or a second name.
    #[must_use]
    pub fn simple_name(&self) -> Option<&str> {
        match &*self.parts {
            [name] if !self.scoped && !self.data && self.depth == 0 => Some(name),
            _ => None,
        }
    }
}

impl<'s> ExprNode<'s> {
    /// The expression as a path, for a position that needs a name. A literal there is the name of a variable. `None`
    /// for a call.
    #[must_use]
    pub fn as_path(&self) -> Option<Cow<'_, PathNode<'s>>> {
        let name: Cow<'s, str> = match &self.kind {
            ExprNodeKind::Path(path) => return Some(Cow::Borrowed(path)),
            ExprNodeKind::Call(_) => return None,
            ExprNodeKind::String(text) => text.clone(),
            ExprNodeKind::Number(text) => super::number::canonical(text).into(),
            ExprNodeKind::Bool(true) => "true".into(),
            ExprNodeKind::Bool(false) => "false".into(),
            ExprNodeKind::Undefined => "undefined".into(),
            ExprNodeKind::Null => "null".into(),
        };
        Some(Cow::Owned(PathNode {
            original: name.clone(),
            parts: PathParts::One([name]),
            ..PathNode::default()
        }))
    }

    /// How the path of [`ExprNode::as_path`] is written. Empty for a call.
    #[must_use]
    pub fn name(&self) -> Cow<'_, str> {
        match self.as_path() {
            Some(Cow::Borrowed(path)) => Cow::Borrowed(&path.original),
            Some(Cow::Owned(path)) => path.original,
            None => Cow::Borrowed(""),
        }
    }
}
