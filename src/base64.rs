//! Base64, in which providers' formats carry images, sounds and files.

use std::borrow::Cow;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Writes padding, and reads texts with and without it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The bytes as text, in the standard alphabet and with padding.
pub(crate) fn encode(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}

/// The bytes of a text, in the standard or the URL-safe alphabet. White space is skipped and padding is optional. `None` if it
/// is no base64.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let digits = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).map(|byte| match byte {
        b'-' => b'+',
        b'_' => b'/',
        byte => byte,
    });
    BASE64.decode(digits.collect::<Vec<u8>>()).ok()
}

/// The same bytes in the standard alphabet, with padding and without white space. `None` if it is no base64.
pub(crate) fn plain(text: &str) -> Option<Cow<'_, str>> {
    let bytes = decode(text)?;
    let is_plain = text.len().is_multiple_of(4)
        && !text.bytes().any(|byte| byte.is_ascii_whitespace() || b"-_".contains(&byte));
    Some(if is_plain { Cow::Borrowed(text) } else { Cow::Owned(encode(&bytes)) })
}

#[cfg(test)]
mod tests {
    use super::{decode, encode, plain};

    #[test]
    fn bytes_come_back_from_text() {
        for length in 0..70_u8 {
            let bytes: Vec<u8> = (0..length).map(|at| at.wrapping_mul(37).wrapping_add(200)).collect();
            assert_eq!(decode(&encode(&bytes)), Some(bytes));
        }
        assert_eq!(encode(b"any carnal pleas"), "YW55IGNhcm5hbCBwbGVhcw==");
    }

    #[test]
    fn base64_is_written_in_one_way() {
        for text in ["+/8=", "-_8=", "+/8", "+/\n8=", " +/8= "] {
            assert_eq!(plain(text).as_deref(), Some("+/8="), "{text}");
        }
        assert_eq!(plain("AA*A"), None);
    }

    #[test]
    fn other_spellings_of_base64_are_read() {
        assert_eq!(decode("-_8"), decode("+/8="));
        assert_eq!(decode("AAAA\r\nAAAA\n"), Some(vec![0; 6]));
        for wrong in ["A", "AAAAA", "AA*A", "AA=A", "\u{e9}AAA"] {
            assert_eq!(decode(wrong), None, "{wrong}");
        }
    }
}
