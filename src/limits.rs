//! Every budget in one place, with its default.
//!
//! Templates may come from people who are trusted less than the code that renders them, so whatever they can make
//! the engine do is bounded. A limit that is passed is an error that names it.

/// What one template, and one render of it, may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Limits {
    /// Longest template source in bytes.
    pub source_bytes: usize,
    /// How deep blocks, subexpressions and chained `else` may nest in a template.
    pub nesting: usize,
    /// How many partials may be open at once, which is what stops a partial that includes itself.
    pub partial_depth: usize,
    /// How many blocks and partials may be open at once in a render, which is what bounds the stack.
    pub depth: usize,
    /// How many tags and loop rounds one render may execute.
    pub steps: u64,
    /// Longest output of one render in bytes.
    pub output_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            source_bytes: 10 * 1024 * 1024,
            nesting: 100,
            partial_depth: 50,
            depth: 400,
            steps: 10_000_000,
            output_bytes: 256 * 1024 * 1024,
        }
    }
}

/// How many uses of variables, those in partials counted each time that they are included, an account of a template's
/// variables takes in.
pub const VARIABLE_USES: u64 = 1_000_000;

/// How many bytes the paths may have that such an account spells.
pub const VARIABLE_BYTES: usize = 64 * 1024 * 1024;

/// Longest prompt or schema file in bytes: room for the 10 MB that a generated file may have.
pub const FILE_BYTES: u64 = 16 * 1024 * 1024;

/// Longest id of a prompt in characters.
pub const ID_CHARACTERS: usize = 255;

/// How deep data may nest that a schema describes: dicts and lists within one another, each level of a schema one.
pub const DATA_DEPTH: usize = 200;
