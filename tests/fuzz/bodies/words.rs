//! JSON values whose keys and texts are mostly words that the code knows, so that random bytes come far.

use arbitrary::{Result as Taken, Unstructured};
use serde_json::{Map, Value};

/// Values nest no deeper.
const DEPTH: usize = 8;

/// The words of an input format.
pub struct Words {
    /// The keys of objects.
    keys: Vec<&'static str>,
    /// The texts.
    texts: Vec<&'static str>,
}

impl Words {
    /// Reads a list of words: the keys, one on each line, then an empty line, then the texts.
    pub fn of(list: &'static str) -> Self {
        let (keys, texts) = list.split_once("\n\n").expect("keys and texts");
        Self { keys: keys.lines().collect(), texts: texts.lines().collect() }
    }

    /// Reads a value: a byte for its type and size, then what is in it.
    ///
    /// The type is the byte modulo 8; the rest is a length or a small number. A key or a text is the number of a word, or
    /// a byte beyond the words and then a text of its own.
    pub fn value(&self, input: &mut Unstructured<'_>) -> Taken<Value> {
        self.nested(input, 0)
    }

    fn nested(&self, input: &mut Unstructured<'_>, depth: usize) -> Taken<Value> {
        let byte: u8 = input.arbitrary()?;
        let size = byte / 8;
        Ok(match byte % 8 {
            0 => Value::Null,
            1 => Value::Bool(size != 0),
            2 => Value::from(i64::from(size) - 4),
            3 => Value::from(input.arbitrary::<f64>()?),
            4 if depth < DEPTH => {
                let mut members = Map::new();
                for _ in 0..size {
                    if input.is_empty() {
                        break;
                    }
                    members.insert(word(input, &self.keys)?, self.nested(input, depth + 1)?);
                }
                Value::Object(members)
            }
            5 if depth < DEPTH => (0..size)
                .map_while(|_| (!input.is_empty()).then(|| self.nested(input, depth + 1)))
                .collect::<Taken<_>>()?,
            _ => Value::from(word(input, &self.texts)?),
        })
    }
}

fn word(input: &mut Unstructured<'_>, words: &[&str]) -> Taken<String> {
    let at: u8 = input.arbitrary()?;
    match words.get(usize::from(at)) {
        Some(word) => Ok((*word).to_owned()),
        None => super::text(input),
    }
}
