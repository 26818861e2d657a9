//! Half a surrogate pair in Rust text.
//!
//! A Python string can hold half of a surrogate pair, for instance from `errors="surrogateescape"` or from JSON that was cut
//! in the middle of an emoji. Rust text cannot. While Rust code works on such a text, a character of the private-use plane
//! 16 stands in for each half; [`to_python`] puts the half back. A private-use character that is in the texts themselves
//! stays itself, because none that was seen is chosen as a stand-in. One that was chosen earlier gets a stand-in too.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

/// The stand-ins of one thread.
#[derive(Default)]
struct StandIns {
    by_original: HashMap<u32, char>,
    originals: HashMap<char, u32>,
    /// The private-use characters of plane 16 that were in texts, and stay themselves.
    seen: HashSet<char>,
}

thread_local! {
    static STAND_INS: RefCell<StandIns> = RefCell::default();
}

/// The first byte of each character of plane 16 in UTF-8.
const PLANE_16: u8 = 0xF4;

/// The stand-in of the first surrogate, where it is free.
const FIRST_STAND_IN: u32 = 0x0010_F800;
const FIRST_SURROGATE: u32 = 0xD800;

impl StandIns {
    /// Returns the character that stands for a code point in Rust text.
    fn admit(&mut self, original: u32) -> char {
        if let Some(known) = self.by_original.get(&original) {
            return *known;
        }
        if let Some(own) = char::from_u32(original)
            && !self.originals.contains_key(&own)
        {
            self.seen.insert(own);
            return own;
        }
        let preferred =
            original.checked_sub(FIRST_SURROGATE).map_or(FIRST_STAND_IN, |at| FIRST_STAND_IN + at);
        let free = (preferred..=0x0010_FFFD)
            .chain(0x0010_0000..FIRST_STAND_IN)
            .filter_map(char::from_u32)
            .find(|free| !self.seen.contains(free) && !self.originals.contains_key(free));
        // Only a thread that has seen all 65,534 private-use characters has none left.
        let Some(free) = free else { return char::REPLACEMENT_CHARACTER };
        self.by_original.insert(original, free);
        self.originals.insert(free, original);
        free
    }
}

/// Returns a Python string as Rust text, with stand-ins for halves of surrogate pairs.
pub(super) fn to_rust<'a>(string: &'a Bound<'_, PyString>) -> Cow<'a, str> {
    match string.to_str() {
        Ok(text) if !text.as_bytes().contains(&PLANE_16) => Cow::Borrowed(text),
        Ok(text) => STAND_INS.with_borrow_mut(|stand_ins| {
            text.chars().map(|c| if is_plane_16(c) { stand_ins.admit(u32::from(c)) } else { c }).collect()
        }),
        Err(_) => match encoded(string) {
            Ok(bytes) => Cow::Owned(decoded(&bytes)),
            // Encoding fails only if memory runs out.
            Err(_) => string.to_string_lossy(),
        },
    }
}

/// Returns Rust text as a Python string, with the halves of surrogate pairs put back.
pub(super) fn to_python<'py>(py: Python<'py>, text: &str) -> Bound<'py, PyString> {
    match with_originals(text) {
        None => PyString::new(py, text),
        Some(bytes) => {
            let decoded = PyBytes::new(py, &bytes)
                .call_method1(intern!(py, "decode"), (intern!(py, "utf-8"), intern!(py, "surrogatepass")));
            let decoded = decoded.ok().and_then(|decoded| decoded.cast_into().ok());
            // Decoding fails only if memory runs out.
            decoded.unwrap_or_else(|| PyString::new(py, text))
        }
    }
}

/// Whether Rust text has a stand-in for half a surrogate pair.
pub(super) fn has_stand_in(text: &str) -> bool {
    text.as_bytes().contains(&PLANE_16)
        && STAND_INS.with_borrow(|stand_ins| {
            let is_surrogate = |c| stand_ins.originals.get(&c).is_some_and(|original| *original < 0xE000);
            text.chars().any(is_surrogate)
        })
}

/// Whether a Python string holds half a surrogate pair.
pub(super) fn has_lone(string: &Bound<'_, PyString>) -> bool {
    /// Reading a string as UTF-8 keeps a copy inside it, so a longer one is encoded instead.
    const SHORT: usize = 1024;
    let py = string.py();
    if string.len().is_ok_and(|length| length < SHORT) {
        return string.to_str().is_err();
    }
    let is_ascii = string.call_method0(intern!(py, "isascii")).and_then(|ascii| ascii.is_truthy());
    !is_ascii.unwrap_or(false) && string.call_method1(intern!(py, "encode"), (intern!(py, "utf-8"),)).is_err()
}

/// The UTF-16 units of a Python string.
pub(super) fn utf16(string: &Bound<'_, PyString>) -> PyResult<Vec<u16>> {
    let py = string.py();
    let bytes = string.call_method1(intern!(py, "encode"), ("utf-16-le", intern!(py, "surrogatepass")))?;
    let bytes = bytes.cast_into::<PyBytes>()?;
    Ok(bytes.as_bytes().chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]])).collect())
}

fn is_plane_16(c: char) -> bool {
    c >= '\u{100000}'
}

/// The string in UTF-8, where a lone surrogate is encoded like other code points.
fn encoded(string: &Bound<'_, PyString>) -> PyResult<Vec<u8>> {
    let py = string.py();
    let bytes =
        string.call_method1(intern!(py, "encode"), (intern!(py, "utf-8"), intern!(py, "surrogatepass")))?;
    Ok(bytes.cast_into::<PyBytes>()?.as_bytes().to_vec())
}

/// Rust text from such bytes, with stand-ins.
fn decoded(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    STAND_INS.with_borrow_mut(|stand_ins| {
        let mut rest = bytes;
        loop {
            let (valid, after) = match std::str::from_utf8(rest) {
                Ok(valid) => (valid, &[][..]),
                Err(error) => {
                    let (valid, after) = rest.split_at(error.valid_up_to());
                    (std::str::from_utf8(valid).unwrap_or_default(), after)
                }
            };
            text.extend(
                valid.chars().map(|c| if is_plane_16(c) { stand_ins.admit(u32::from(c)) } else { c }),
            );
            // A surrogate has three bytes: 1110xxxx 10xxxxxx 10xxxxxx.
            let [a, b, c, next @ ..] = after else { break };
            let bits = |byte: &u8, mask: u8| u32::from(byte & mask);
            text.push(stand_ins.admit(bits(a, 0x0F) << 12 | bits(b, 0x3F) << 6 | bits(c, 0x3F)));
            rest = next;
        }
    });
    text
}

/// The text in UTF-8 with the originals of its stand-ins; `None` if it has none.
fn with_originals(text: &str) -> Option<Vec<u8>> {
    if !text.as_bytes().contains(&PLANE_16) {
        return None;
    }
    STAND_INS.with_borrow(|stand_ins| {
        if !text.chars().any(|c| stand_ins.originals.contains_key(&c)) {
            return None;
        }
        let mut bytes = Vec::with_capacity(text.len());
        for c in text.chars() {
            let original = stand_ins.originals.get(&c).copied().unwrap_or(u32::from(c));
            if let Some(own) = char::from_u32(original) {
                bytes.extend_from_slice(own.encode_utf8(&mut [0; 4]).as_bytes());
            } else {
                // A surrogate has three bytes.
                let bits = |shift: u32, mask: u32| u8::try_from(original >> shift & mask).unwrap_or(0);
                bytes.extend([0xE0 | bits(12, 0x0F), 0x80 | bits(6, 0x3F), 0x80 | bits(0, 0x3F)]);
            }
        }
        Some(bytes)
    })
}
