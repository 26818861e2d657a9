//! Strings by the C API of one Python version, which shows where a string has its characters.

use std::cell::Cell;
use std::ffi::c_void;
use std::mem::ManuallyDrop;
use std::slice;

use pyo3::exceptions::PyOverflowError;
use pyo3::prelude::*;
use pyo3::types::PyString;
use pyo3::{Bound, Python, ffi};

/// How wide the characters of a string are in memory, which Python chooses by the greatest of them. Widths are joined with
/// `|`: the highest bit of the result is the widest one.
mod width {
    pub(super) const ASCII: usize = 0;
    pub(super) const LATIN_1: usize = 1;
    pub(super) const TWO_BYTES: usize = 2;
    pub(super) const FOUR_BYTES: usize = 4;
    /// The number of bits.
    pub(super) const BITS: u32 = 3;
    pub(super) const MASK: usize = (1 << BITS) - 1;
}

/// Where the characters of a string are.
#[derive(Clone, Copy)]
struct Extent {
    /// The address of the first character, or the place in a buffer.
    start: usize,
    /// The number of characters, shifted to the left by [`width::BITS`], and their width.
    length_and_width: usize,
}

impl Extent {
    /// Where a Python string has its characters. They never change, and stay there for as long as the string lives.
    #[inline]
    fn of_string(string: &Bound<'_, PyString>) -> Self {
        #[cfg(not(Py_3_14))]
        {
            let object = string.as_ptr();
            // SAFETY: `object` is a string. One that is compact ASCII is ready, and has its characters, one byte each,
            // where `PyUnicode_DATA` says.
            unsafe {
                if ffi::PyUnicode_IS_COMPACT_ASCII(object) != 0 {
                    let length = ffi::PyUnicode_GET_LENGTH(object).cast_unsigned();
                    let start = ffi::PyUnicode_DATA(object) as usize;
                    return Self { start, length_and_width: length << width::BITS };
                }
            }
        }
        Self::of_any_string(string)
    }

    #[inline(never)]
    fn of_any_string(string: &Bound<'_, PyString>) -> Self {
        let object = string.as_ptr();
        // SAFETY: `object` is a string, of a subclass or not, and the thread is attached. A string of Python 3.11 that
        // an extension made by the old functions is made ready first, if it is not. `PyUnicode_DATA` then returns
        // where its characters are.
        unsafe {
            #[cfg(not(Py_3_12))]
            if ffi::PyUnicode_IS_READY(object) == 0 && ffi::PyUnicode_READY(object) != 0 {
                return Self::of_unready(string.py());
            }
            let (data, kind) = (ffi::PyUnicode_DATA(object), ffi::PyUnicode_KIND(object));
            let length = ffi::PyUnicode_GET_LENGTH(object).cast_unsigned();
            let width = match kind {
                ffi::PyUnicode_1BYTE_KIND if is_ascii(object, data, length) => width::ASCII,
                ffi::PyUnicode_1BYTE_KIND => width::LATIN_1,
                ffi::PyUnicode_2BYTE_KIND => width::TWO_BYTES,
                _ => width::FOUR_BYTES,
            };
            Self { start: data as usize, length_and_width: (length << width::BITS) | width }
        }
    }

    /// Memory ran out while the string was made ready, so it has no characters to copy.
    #[cfg(not(Py_3_12))]
    #[cold]
    fn of_unready(py: Python<'_>) -> Self {
        drop(PyErr::take(py));
        Self { start: std::ptr::NonNull::<u32>::dangling().as_ptr() as usize, length_and_width: 0 }
    }

    #[inline]
    fn length(self) -> usize {
        self.length_and_width >> width::BITS
    }

    #[inline]
    fn width(self) -> usize {
        self.length_and_width & width::MASK
    }
}

/// Whether a string of one byte a character is ASCII.
///
/// # Safety
/// `object` must be a string that is ready, with `length` characters of one byte at `data`.
#[inline]
#[cfg_attr(not(Py_3_14), allow(unused_variables, reason = "the object itself knows it"))]
unsafe fn is_ascii(object: *mut ffi::PyObject, data: *const c_void, length: usize) -> bool {
    #[cfg(not(Py_3_14))]
    // SAFETY: by the caller.
    let ascii = unsafe { ffi::PyUnicode_IS_ASCII(object) != 0 };
    #[cfg(Py_3_14)]
    // SAFETY: by the caller.
    let ascii = unsafe { slice::from_raw_parts(data.cast::<u8>(), length).is_ascii() };
    ascii
}

/// A string of a template, of which every render needs the same.
pub struct FixedString {
    string: Py<PyString>,
    extent: Extent,
}

impl FixedString {
    /// The interned string of a text.
    pub(in crate::python) fn new(py: Python<'_>, text: &str) -> Self {
        let string = PyString::intern(py, text);
        let extent = Extent::of_string(&string);
        Self { string: string.unbind(), extent }
    }

    #[inline]
    pub(in crate::python) fn string<'py>(&self, py: Python<'py>) -> &Bound<'py, PyString> {
        self.string.bind(py)
    }
}

/// A part of an output: a Python string, or a range of the buffer.
struct TextPart<'py> {
    /// The string. `None` for a range of the buffer.
    string: Option<Bound<'py, PyString>>,
    extent: Extent,
}

/// The parts of an output, which are joined at its end: the strings of its values and of the template, which are not
/// copied before, and ASCII text in a buffer.
pub struct TextParts<'py> {
    py: Python<'py>,
    parts: Vec<TextPart<'py>>,
    /// Text that is no string of its own. Ranges of it are parts.
    buffer: String,
    /// The number of characters of all parts.
    length: usize,
    /// The lengths and widths of all parts, of which only the widths are read.
    widths: usize,
    /// The number of parts at the start that were joined already.
    joined: usize,
}

/// After this many parts they are joined into one, so that an output of many small parts does not take many times its
/// own memory.
const MAX_PARTS: usize = 1 << 16;

/// The parts for which a list has memory at first.
const USUAL_PARTS: usize = 16;

/// The capacity of the longest list of parts that a thread keeps for its next render.
const MAX_KEPT_PARTS: usize = 1 << 13;

thread_local! {
    /// The memory of this thread's last render, which the next render reuses.
    static KEPT: Cell<Vec<TextPart<'static>>> = const { Cell::new(Vec::new()) };
}

/// Keeps the memory for the next render.
impl Drop for TextParts<'_> {
    #[inline]
    fn drop(&mut self) {
        self.parts.clear();
        if self.parts.capacity() <= MAX_KEPT_PARTS {
            let mut parts = ManuallyDrop::new(std::mem::take(&mut self.parts));
            // SAFETY: pointer and capacity are those of a vector, which is not used again. The type of its items differs
            // only in a lifetime, and so not in size and alignment. It has no items, so none outlives its interpreter.
            let parts = unsafe { Vec::from_raw_parts(parts.as_mut_ptr().cast(), 0, parts.capacity()) };
            // On a thread that ends, the memory is freed.
            _ = KEPT.try_with(|kept| kept.set(parts));
        }
    }
}

impl<'py> TextParts<'py> {
    #[inline]
    pub(in crate::python) fn new(py: Python<'py>) -> Self {
        let parts = KEPT.try_with(Cell::take).unwrap_or_default();
        Self { py, parts, buffer: String::new(), length: 0, widths: 0, joined: 0 }
    }

    pub(in crate::python) fn py(&self) -> Python<'py> {
        self.py
    }

    /// The number of characters.
    #[inline]
    pub(in crate::python) fn length(&self) -> usize {
        self.length
    }

    #[inline(always)]
    #[allow(clippy::inline_always, reason = "a call for each part costs as much as the part")]
    fn push(&mut self, string: Option<Bound<'py, PyString>>, extent: Extent) {
        self.length += extent.length();
        self.widths |= extent.length_and_width;
        self.make_room_if_full();
        self.parts.push(TextPart { string, extent });
    }

    /// Appends a string.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "a call for each part costs as much as the part")]
    pub(in crate::python) fn push_string(&mut self, string: Bound<'py, PyString>) {
        let extent = Extent::of_string(&string);
        self.push(Some(string), extent);
    }

    /// Appends a string of a template.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "a call for each part costs as much as the part")]
    pub(in crate::python) fn push_fixed(&mut self, fixed: &FixedString) {
        self.push(Some(fixed.string(self.py).clone()), fixed.extent);
    }

    /// Appends text that `write` writes to the buffer. It must be ASCII.
    #[inline]
    pub(in crate::python) fn push_ascii(&mut self, write: impl FnOnce(&mut String)) {
        let extends = matches!(self.parts.last(), Some(TextPart { string: None, .. }));
        if !extends {
            // Before the text is in the buffer, which this may clear.
            self.make_room_if_full();
        }
        let start = self.buffer.len();
        write(&mut self.buffer);
        // `write` could also have removed text.
        let length = self.buffer.len().saturating_sub(start);
        debug_assert!(self.buffer.get(start..).is_none_or(str::is_ascii), "only ASCII text is in the buffer");
        match self.parts.last_mut() {
            Some(last) if extends => {
                last.extent.length_and_width += length << width::BITS;
                self.length += length;
            }
            _ => self.push(None, Extent { start, length_and_width: length << width::BITS }),
        }
    }

    #[inline]
    fn make_room_if_full(&mut self) {
        if self.parts.len() == self.parts.capacity() {
            self.make_room();
        }
    }

    /// Makes room for more parts, or joins those since the last time into one.
    #[cold]
    fn make_room(&mut self) {
        if self.parts.len() - self.joined < MAX_PARTS {
            return self.parts.reserve(USUAL_PARTS);
        }
        // If memory runs out, the parts stay as they are, and joining all of them reports it.
        if let Ok(joined) = join(self.py, &self.parts[self.joined..], &self.buffer) {
            self.parts.truncate(self.joined);
            let extent = Extent::of_string(&joined);
            self.parts.push(TextPart { string: Some(joined), extent });
            self.buffer.clear();
        }
        self.joined = self.parts.len();
    }

    /// The string, if it is the only part.
    pub(in crate::python) fn only_string(&self) -> Option<&Bound<'py, PyString>> {
        match self.parts.as_slice() {
            [only] => only.string.as_ref(),
            _ => None,
        }
    }

    /// The parts as strings, those of the buffer as well.
    pub(in crate::python) fn strings(&self) -> impl Iterator<Item = Bound<'py, PyString>> {
        self.parts.iter().map(|part| {
            let Extent { start, .. } = part.extent;
            let of_buffer = || PyString::new(self.py, &self.buffer[start..start + part.extent.length()]);
            part.string.clone().unwrap_or_else(of_buffer)
        })
    }

    /// Whether the last character is a line break.
    pub(in crate::python) fn ends_in_line_break(&self) -> bool {
        const LINE_BREAK: u8 = b'\n';
        let Some(last) = self.parts.iter().rev().find(|part| part.extent.length() > 0) else {
            return false;
        };
        match last.characters(&self.buffer) {
            PartCharacters::One(text) => text.last() == Some(&LINE_BREAK),
            PartCharacters::Two(text) => text.last() == Some(&LINE_BREAK.into()),
            PartCharacters::Four(text) => text.last() == Some(&LINE_BREAK.into()),
        }
    }

    /// Copies the parts into one new string.
    ///
    /// # Errors
    /// `MemoryError`, or `OverflowError` for a text that is too long for a string.
    #[inline]
    pub(in crate::python) fn join(&self) -> PyResult<Bound<'py, PyString>> {
        // SAFETY: `push` counts the length and the widths of each part, and `make_room` puts a part of the same length in
        // place of others, whose greatest character is no wider.
        unsafe { join_counted(self.py, &self.parts, &self.buffer, self.length, self.widths & width::MASK) }
    }
}

impl TextPart<'_> {
    /// The characters. A part without a string is a range of `buffer`.
    #[inline]
    fn characters<'p>(&'p self, buffer: &'p str) -> PartCharacters<'p> {
        let (start, length) = (self.extent.start, self.extent.length());
        if self.string.is_none() {
            return PartCharacters::One(&buffer.as_bytes()[start..start + length]);
        }
        let data = start as *const c_void;
        // SAFETY: the part owns the string. `data` is where it has `length` characters of this width, aligned for it,
        // and no code changes the characters of a string that others can see.
        unsafe {
            match self.extent.width() {
                width::TWO_BYTES => PartCharacters::Two(slice::from_raw_parts(data.cast(), length)),
                width::FOUR_BYTES => PartCharacters::Four(slice::from_raw_parts(data.cast(), length)),
                _ => PartCharacters::One(slice::from_raw_parts(data.cast(), length)),
            }
        }
    }
}

/// The characters of a part.
enum PartCharacters<'p> {
    One(&'p [u8]),
    Two(&'p [u16]),
    Four(&'p [u32]),
}

/// Copies some parts into one new string.
fn join<'py>(py: Python<'py>, parts: &[TextPart<'py>], buffer: &str) -> PyResult<Bound<'py, PyString>> {
    let (mut length, mut widths) = (0_usize, 0);
    for part in parts {
        length = length.saturating_add(part.extent.length());
        widths |= part.extent.width();
    }
    // SAFETY: the length and the widths are those of the parts.
    unsafe { join_counted(py, parts, buffer, length, widths) }
}

/// Copies parts into one new string.
///
/// # Safety
/// The parts must have `length` characters together, none of them wider than `widths` has.
#[inline]
unsafe fn join_counted<'py>(
    py: Python<'py>,
    parts: &[TextPart<'py>],
    buffer: &str,
    length: usize,
    widths: usize,
) -> PyResult<Bound<'py, PyString>> {
    let size = ffi::Py_ssize_t::try_from(length)
        .map_err(|_| PyOverflowError::new_err("the output is too long for a string"))?;
    let greatest = match widths {
        width::ASCII => 0x7F,
        width::LATIN_1 => 0xFF,
        width::TWO_BYTES..width::FOUR_BYTES => 0xFFFF,
        _ => 0x10_FFFF,
    };
    // SAFETY: the thread is attached. The function returns a new string, or the empty one that all share, or null with
    // an exception, which `from_owned_ptr_or_err` takes. The new string has room for `length` characters of the width
    // at `PyUnicode_DATA`, aligned for it, and no one else sees it before this function returns. By the caller, the
    // parts have that many characters, none of them wider; so all are written, and nothing beyond them.
    unsafe {
        let object = ffi::PyUnicode_New(size, greatest);
        let string = Bound::from_owned_ptr_or_err(py, object)?.cast_into_unchecked::<PyString>();
        let data = ffi::PyUnicode_DATA(object);
        match widths {
            width::ASCII | width::LATIN_1 => copy::<u8>(data.cast(), parts, buffer),
            width::TWO_BYTES..width::FOUR_BYTES => copy::<u16>(data.cast(), parts, buffer),
            _ => copy::<u32>(data.cast(), parts, buffer),
        }
        Ok(string)
    }
}

/// Copies parts one behind the other.
///
/// # Safety
/// There must be room for all characters at `to`, and none may be wider than `U`.
#[inline]
unsafe fn copy<U: Unit>(mut to: *mut U, parts: &[TextPart<'_>], buffer: &str) {
    for part in parts {
        // SAFETY: by the caller.
        unsafe {
            U::copy(to, &part.characters(buffer));
            to = to.add(part.extent.length());
        }
    }
}

/// A character in memory of one, two or four bytes.
trait Unit: Copy {
    /// Copies characters.
    ///
    /// # Safety
    /// There must be room for them at `to`, and they must not be wider.
    unsafe fn copy(to: *mut Self, from: &PartCharacters<'_>);
}

impl Unit for u8 {
    #[inline]
    unsafe fn copy(to: *mut Self, from: &PartCharacters<'_>) {
        if let PartCharacters::One(from) = from {
            // SAFETY: by the caller. New memory does not overlap with a string.
            unsafe { to.copy_from_nonoverlapping(from.as_ptr(), from.len()) };
        }
    }
}

impl Unit for u16 {
    #[inline]
    unsafe fn copy(to: *mut Self, from: &PartCharacters<'_>) {
        match from {
            // SAFETY: by the caller.
            PartCharacters::One(from) => unsafe { widen(to, from) },
            // SAFETY: as for one byte.
            PartCharacters::Two(from) => unsafe {
                to.copy_from_nonoverlapping(from.as_ptr(), from.len());
            },
            PartCharacters::Four(_) => {}
        }
    }
}

impl Unit for u32 {
    #[inline]
    unsafe fn copy(to: *mut Self, from: &PartCharacters<'_>) {
        match from {
            // SAFETY: by the caller.
            PartCharacters::One(from) => unsafe { widen(to, from) },
            // SAFETY: by the caller.
            PartCharacters::Two(from) => unsafe { widen(to, from) },
            // SAFETY: as for one byte.
            PartCharacters::Four(from) => unsafe {
                to.copy_from_nonoverlapping(from.as_ptr(), from.len());
            },
        }
    }
}

/// Copies characters into wider ones.
///
/// # Safety
/// There must be room for them at `to`.
#[inline]
unsafe fn widen<N: Copy + Into<W>, W>(to: *mut W, from: &[N]) {
    for (at, character) in from.iter().enumerate() {
        // SAFETY: by the caller.
        unsafe { to.add(at).write((*character).into()) };
    }
}
