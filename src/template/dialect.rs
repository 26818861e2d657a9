//! The two template languages, and everything in which they differ.
//!
//! Each difference has a name here. The compiler asks a [`Dialect`]; the renderer is compiled for each
//! [`StaticDialect`], so that its questions cost nothing.

/// The template languages of the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Dialect {
    /// Handlebars for prompts: prints values as Python does, has helpers for prompts, and reports mistakes when a
    /// template is compiled.
    #[default]
    Prompt,
    /// Handlebars exactly as in handlebars.js.
    Handlebars,
}

impl Dialect {
    /// Whether values are looked up and printed by JavaScript's rules.
    pub(super) const fn is_javascript(self) -> bool {
        matches!(self, Self::Handlebars)
    }

    const fn is_prompt(self) -> bool {
        matches!(self, Self::Prompt)
    }
}

/// Differences that the compiler meets.
impl Dialect {
    /// The helpers for prompts and the block `fence` exist.
    pub(super) const fn has_prompt_helpers(self) -> bool {
        self.is_prompt()
    }

    /// A built-in helper's name without arguments is the variable of that name.
    pub(super) const fn prefers_variables(self) -> bool {
        self.is_prompt()
    }

    /// A raw block that calls no helper prints the text inside it. In handlebars.js it prints nothing.
    pub(super) const fn prints_raw_blocks(self) -> bool {
        self.is_prompt()
    }

    /// A wrong call, or a call of an unknown helper, is an error when the template is compiled. In handlebars.js it is
    /// one when the call is rendered, if it ever is.
    pub(super) const fn checks_calls(self) -> bool {
        self.is_prompt()
    }

    /// A block on a built-in helper prints the helper's result. In the `prompt` dialect only a comparison may open a
    /// block, as its condition.
    pub(super) const fn prints_results_of_blocks(self) -> bool {
        self.is_javascript()
    }

    /// The line break after a partial that is alone on its line comes back after the partial's text.
    pub(super) const fn keeps_line_breaks(self) -> bool {
        self.is_prompt()
    }

    /// Named arguments are evaluated in the order in which JavaScript assigns them.
    pub(super) const fn reorders_named_arguments(self) -> bool {
        self.is_javascript()
    }

    /// `@name` may call a helper, or name a block parameter.
    pub(super) const fn allows_data_names(self) -> bool {
        self.is_javascript()
    }

    /// A call whose path begins with the name of a known helper calls it, whatever follows in the path.
    pub(super) const fn calls_by_first_name(self) -> bool {
        self.is_javascript()
    }

    /// The caller can register `helperMissing` and `blockHelperMissing`.
    pub(super) const fn has_missing_hooks(self) -> bool {
        self.is_javascript()
    }

    /// An empty name is the context itself, whatever follows in the path.
    pub(super) const fn has_empty_names(self) -> bool {
        self.is_javascript()
    }
}

/// Differences that the renderer meets.
impl Dialect {
    /// Numbers without text between them are added up, as `+` does in JavaScript.
    pub(super) const fn adds_numbers(self) -> bool {
        self.is_javascript()
    }

    /// An empty mapping is a false condition. In JavaScript every object is true.
    pub(super) const fn empty_mapping_is_false(self) -> bool {
        self.is_prompt()
    }

    /// A loop or block on a missing value, and a loop over a text or a number, are errors. handlebars.js renders nothing.
    pub(super) const fn refuses_lost_blocks(self) -> bool {
        self.is_prompt()
    }

    /// A block whose context is null sees an empty object instead.
    pub(super) const fn replaces_null_context(self) -> bool {
        self.is_javascript()
    }

    /// Strict mode has the exceptions of handlebars.js: names that every object inherits, and values that are no path.
    pub(super) const fn has_inherited_names(self) -> bool {
        self.is_javascript()
    }

    /// A path with a missing value in its middle is an error in strict mode.
    pub(super) const fn breaks_at_missing_objects(self) -> bool {
        self.is_javascript()
    }

    /// `@a.b` is `@a` if that is false.
    pub(super) const fn stops_at_false_data(self) -> bool {
        self.is_javascript()
    }

    /// The parameters of a block have no values, not even missing ones, unless the helper passes some.
    pub(super) const fn requires_block_params(self) -> bool {
        self.is_javascript()
    }

    /// A partial's named argument without a value hides the context's value of that name.
    pub(super) const fn hides_with_undefined(self) -> bool {
        self.is_javascript()
    }

    /// A partial with a block opens a frame for `@` names, and so does its block.
    pub(super) const fn frames_partials(self) -> bool {
        self.is_javascript()
    }

    /// The computed name of a partial is taken for its context, if a context is required and the tag has none.
    pub(super) const fn swaps_computed_names(self) -> bool {
        self.is_javascript()
    }
}

/// A dialect as a type, for code that is compiled for each of them.
pub(super) trait StaticDialect {
    /// The dialect.
    const DIALECT: Dialect;
    /// The other dialect, in which a partial of another engine may be written.
    type Other: StaticDialect<Other = Self>;
}

/// [`Dialect::Prompt`]
pub(super) struct PromptDialect;

/// [`Dialect::Handlebars`]
pub(super) struct HandlebarsDialect;

impl StaticDialect for PromptDialect {
    const DIALECT: Dialect = Dialect::Prompt;
    type Other = HandlebarsDialect;
}

impl StaticDialect for HandlebarsDialect {
    const DIALECT: Dialect = Dialect::Handlebars;
    type Other = PromptDialect;
}
