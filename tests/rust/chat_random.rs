//! Random conversations that are valid for every provider, the same ones on every run.

use prompt_manager::prompt::{
    CacheHint, Content, FilePart, FunctionCall, Message, Part, PartBody, Role, ToolCall, Tree,
};

/// A xorshift generator; the numbers only need to look random.
pub struct Random {
    state: u64,
    /// How many cache hints the conversation has.
    hints: u8,
    /// The time of its hints. Anthropic takes none of an hour behind one of five minutes.
    ttl: Option<&'static str>,
}

impl Random {
    pub fn new(seed: u64) -> Self {
        let ttl = [None, Some("5m"), Some("1h")][usize::try_from(seed % 3).unwrap()];
        Self { state: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1, hints: 0, ttl }
    }

    fn below(&mut self, end: u64) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 11) % end
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[usize::try_from(self.below(from.len() as u64)).unwrap()]
    }

    fn text(&mut self) -> String {
        let pieces = ["a", "Grüße", " ", "\n", "\"", "{{x}}", "🦀", "\u{1}", "\\", "b"];
        let mut text = String::from("x");
        for _ in 0..self.below(6) {
            text.push_str(self.pick(&pieces));
        }
        text.push('.');
        text
    }

    /// At most four, the maximum of Anthropic.
    fn cache(&mut self) -> Option<CacheHint> {
        if self.hints == 4 || !self.chance(15) {
            return None;
        }
        self.hints += 1;
        Some(CacheHint::portable(self.ttl.map(str::to_owned)))
    }

    fn tree(&mut self, depth: u64) -> Tree<String> {
        match self.below(if depth == 0 { 4 } else { 6 }) {
            0 => Tree::Null,
            1 => Tree::Bool(self.chance(50)),
            2 => Tree::Number(self.below(1000).into()),
            3 => Tree::Text(self.text()),
            4 => Tree::List((0..self.below(3)).map(|_| self.tree(depth - 1)).collect()),
            _ => self.mapping(depth - 1),
        }
    }

    fn mapping(&mut self, depth: u64) -> Tree<String> {
        Tree::Map((0..self.below(4)).map(|n| (format!("k{n}"), self.tree(depth))).collect())
    }

    fn arguments(&mut self) -> Tree<String> {
        if self.chance(30) {
            return Tree::Text(self.pick(&["{}", "{\"a\": [1, {\"b\": null}]}"]).to_owned());
        }
        self.mapping(3)
    }

    fn part(&mut self, role: Role) -> Part<String> {
        let text = |text: &str| text.to_owned();
        let body = match self.below(if role == Role::User { 6 } else { 2 }) {
            2 => {
                let url = self.pick(&["https://example.org/a.png", "data:image/png;base64,AAAA"]);
                let detail = self.pick(&[None, Some("low")]).map(text);
                PartBody::ImageUrl { url: text(url), detail }
            }
            3 => PartBody::Image { media_type: text("image/gif"), data: text("AAAA") },
            4 => PartBody::File(Box::new(FilePart { file_id: Some(text("file-1")), ..FilePart::default() })),
            5 => PartBody::File(Box::new(FilePart {
                filename: Some(text("a.pdf")),
                file_data: Some(text("data:application/pdf;base64,AAAA")),
                ..FilePart::default()
            })),
            _ => PartBody::Text(self.text()),
        };
        Part { body, cache: self.cache() }
    }

    fn content(&mut self, role: Role) -> Content<String> {
        if role == Role::Function || self.chance(60) {
            return Content::Text(self.text());
        }
        Content::Parts((0..=self.below(3)).map(|_| self.part(role)).collect())
    }

    fn message(&mut self, role: Role) -> Message<String> {
        Message { content: Some(self.content(role)), cache: self.cache(), ..Message::empty(role) }
    }

    /// An assistant message with tool calls, and their results in any order.
    fn calls(&mut self, used: &mut usize) -> Vec<Message<String>> {
        let mut call = self.message(Role::Assistant);
        if self.chance(50) {
            call.content = None;
        }
        if self.chance(25) {
            let name = "f".to_owned();
            call.function_call = Some(FunctionCall { name: name.clone(), arguments: self.arguments() });
            let mut result = self.message(Role::Function);
            result.name = Some(name);
            return vec![call, result];
        }
        let mut results = Vec::new();
        for _ in 0..=self.below(3) {
            // Some ids must be rewritten for Anthropic, and some of the new ids collide with others.
            let id = format!("{}{used}", self.pick(&["call_", "call.", "call/", "é"]));
            *used += 1;
            let function = FunctionCall { name: "g-1".to_owned(), arguments: self.arguments() };
            call.tool_calls.push(ToolCall { id: id.clone(), function });
            let mut result = self.message(Role::Tool);
            result.tool_call_id = Some(id);
            let place = usize::try_from(self.below(results.len() as u64 + 1)).unwrap();
            results.insert(place, result);
        }
        results.insert(0, call);
        results
    }

    /// A conversation that is valid without changes.
    pub fn conversation(&mut self) -> Vec<Message<String>> {
        self.hints = 0;
        let mut messages = Vec::new();
        if self.chance(60) {
            let role = self.pick(&[Role::System, Role::Developer]);
            messages.push(self.message(role));
        }
        let mut used = 0;
        messages.push(self.message(Role::User));
        for _ in 0..self.below(5) {
            if self.chance(50) {
                messages.extend(self.calls(&mut used));
                if self.chance(50) {
                    messages.push(self.message(Role::User));
                }
            } else {
                messages.push(self.message(Role::Assistant));
                messages.push(self.message(Role::User));
            }
        }
        messages
    }
}
