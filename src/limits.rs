//! Every limit in one place, with its default.
//!
//! Templates may come from people who are trusted less than the code that renders them. Limits therefore bound
//! everything that a template can make the engine do. Exceeding a limit is an error that names the limit.

/// The limits of one template and of one render of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Limits {
    /// Maximum length of a template source in bytes.
    pub source_bytes: usize,
    /// Maximum nesting of blocks, subexpressions and chained `else` in a template.
    pub nesting: usize,
    /// Maximum number of nested partials in a render. It stops a partial that includes itself.
    pub partial_depth: usize,
    /// Maximum number of nested blocks and partials in a render. It bounds the stack.
    pub depth: usize,
    /// Maximum number of tags and loop iterations that one render executes.
    pub steps: u64,
    /// Maximum length of the output of one render in bytes.
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

/// The highest value of [`Limits::nesting`]. Deeper templates could overflow the stack of a thread:
/// compiling takes 3.6 KiB for each level in a release build, and the threads of Windows have less than 2 MiB.
pub const MAX_NESTING: usize = 200;

/// The highest value of [`Limits::depth`] and [`Limits::partial_depth`]. Deeper renders could overflow the stack of a
/// thread: they take 1.6 KiB for each level in a release build.
pub const MAX_DEPTH: usize = 600;

/// The number of bytes of the stack that a level of a render takes. A debug build takes more.
pub const LEVEL_BYTES: usize = if cfg!(debug_assertions) { 7 << 10 } else { 1640 };

/// The number of bytes of text that a helper reads or writes for one step of [`Limits::steps`].
pub const BYTES_OF_A_STEP: usize = 64;

/// Maximum number of variable uses that listing a template's variables reads. Uses in a partial count each time the
/// partial is included.
pub const VARIABLE_USES: u64 = 1_000_000;

/// Maximum total length in bytes of the paths in such a listing.
pub const VARIABLE_BYTES: usize = 64 * 1024 * 1024;

/// Maximum size of a prompt or schema file in bytes. Generated files may have 10 MB, and this leaves room for them.
pub const FILE_BYTES: u64 = 16 * 1024 * 1024;

/// Maximum length of a prompt id in characters.
pub const ID_CHARACTERS: usize = 255;

/// Maximum number of items that are read from an iterator or another iterable without a length. They are kept, so an
/// endless one would fill the memory.
pub const ITERATOR_ITEMS: usize = 1_000_000;

/// Maximum number of names of a value that are compared for a suggestion, such as "did you mean".
pub const HINT_NAMES: usize = 1000;

/// Maximum number of values inside a key, or an object with fields, that Python hashes or compares in one call. Nothing can
/// interrupt such a call.
pub const ONE_CALL_VALUES: u64 = 100_000;

/// Maximum length in bits of an integer that is added to, subtracted from or compared with a decimal or a fraction, whose
/// work grows with the square of the length.
pub const MIXED_INTEGER_BITS: u64 = 32_768;

/// Maximum nesting of lists that one tag prints. It also stops at a list that contains itself.
pub const PRINT_DEPTH: usize = 32;

/// Maximum number of items that one tag prints, including those of nested lists.
pub const PRINT_ITEMS: u64 = 100_000;

/// Maximum nesting of a Python value that becomes plain data, such as a schema or a default of a prompt, or JSON in a
/// text. It also stops a value that contains itself.
pub const PLAIN_DEPTH: usize = 100;

/// Maximum number of members and items of variables that one log event has.
pub const LOGGED_MEMBERS: usize = 10_000;

/// Maximum nesting of the variables in a log event.
pub const LOGGED_DEPTH: usize = 20;

/// Maximum number of characters of the variables' texts in a log event.
pub const LOGGED_CHARACTERS: usize = 1_000_000;

/// Maximum nesting of data that a schema validates. Each schema on the way to a value counts as one level.
pub const DATA_DEPTH: usize = 200;
