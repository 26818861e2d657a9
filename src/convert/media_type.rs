//! MIME types of images, sounds and files: in `data:` URLs, and of names and addresses by their extension.

/// The extensions with their MIME types. The first extension of a type is the usual one.
const TYPES: [(&str, &str); 53] = [
    ("png", "image/png"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpg"),
    ("gif", "image/gif"),
    ("webp", "image/webp"),
    ("heic", "image/heic"),
    ("heif", "image/heif"),
    ("bmp", "image/bmp"),
    ("tiff", "image/tiff"),
    ("svg", "image/svg+xml"),
    ("pdf", "application/pdf"),
    ("txt", "text/plain"),
    ("md", "text/markdown"),
    ("md", "text/x-markdown"),
    ("markdown", "text/markdown"),
    ("html", "text/html"),
    ("htm", "text/html"),
    ("csv", "text/csv"),
    ("xml", "text/xml"),
    ("rtf", "text/rtf"),
    ("css", "text/css"),
    ("js", "text/javascript"),
    ("py", "text/x-python"),
    ("json", "application/json"),
    ("doc", "application/msword"),
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("xls", "application/vnd.ms-excel"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    ("zip", "application/zip"),
    ("wav", "audio/wav"),
    ("wav", "audio/x-wav"),
    ("mp3", "audio/mp3"),
    ("mp3", "audio/mpeg"),
    ("aac", "audio/aac"),
    ("flac", "audio/flac"),
    ("ogg", "audio/ogg"),
    ("opus", "audio/opus"),
    ("m4a", "audio/m4a"),
    ("aiff", "audio/aiff"),
    ("mp4", "video/mp4"),
    ("mov", "video/quicktime"),
    ("mov", "video/mov"),
    ("webm", "video/webm"),
    ("mkv", "video/x-matroska"),
    ("mpeg", "video/mpeg"),
    ("mpg", "video/mpeg"),
    ("avi", "video/x-msvideo"),
    ("flv", "video/x-flv"),
    ("wmv", "video/x-ms-wmv"),
    ("3gp", "video/3gpp"),
    ("3gpp", "video/3gpp"),
];

/// The extension of a file name or of the path of an address. Empty if there is none.
pub(super) fn extension(name: &str) -> &str {
    // Only a web address has a query. A file, and an object in a storage, can have these characters in its name.
    let is_web = ["http://", "https://"]
        .iter()
        .any(|scheme| name.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)));
    let path = if is_web { name.split(['?', '#']).next().unwrap_or_default() } else { name };
    let last = path.rsplit('/').next().unwrap_or_default();
    last.rsplit_once('.').map_or("", |(_, extension)| extension)
}

/// The MIME type of a file by its name or address.
pub(super) fn of_name(name: &str) -> Option<&'static str> {
    let extension = extension(name);
    TYPES.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(extension)).map(|(_, of)| of)
}

/// A MIME type without its parameters, such as a charset.
pub(super) fn essence(media_type: &str) -> &str {
    media_type.split(';').next().unwrap_or_default().trim()
}

/// The usual extension of a file of a MIME type.
pub(super) fn usual_extension(media_type: &str) -> Option<&'static str> {
    let media_type = essence(media_type);
    TYPES
        .into_iter()
        .find(|(_, known)| known.eq_ignore_ascii_case(media_type))
        .map(|(extension, _)| extension)
}

pub(super) fn is_data_url(url: &str) -> bool {
    url.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:"))
}

/// The MIME type and base64 text of a `data:` URL. `None` if it is not in base64.
pub(crate) fn data_url(url: &str) -> Option<(&str, &str)> {
    let (header, data) = url.get(5..).filter(|_| is_data_url(url))?.split_once(',')?;
    let (media_type, encoding) = header.rsplit_once(';')?;
    if data.is_empty() || !encoding.trim().eq_ignore_ascii_case("base64") {
        return None;
    }
    Some((essence(media_type), data))
}

#[cfg(test)]
mod tests {
    use super::{data_url, of_name, usual_extension};

    #[test]
    fn a_name_or_address_has_the_type_of_its_extension() {
        for (name, media_type) in [
            ("Care.PDF", Some("application/pdf")),
            ("https://example.org/a/fern.jpg?size=2#top", Some("image/jpeg")),
            ("gs://bucket/dir.v2/fern.png", Some("image/png")),
            ("HTTPS://example.org/fern.png#top.pdf", Some("image/png")),
            ("https://example.org/fern", None),
            ("C# notes.pdf", Some("application/pdf")),
            ("What now?.md", Some("text/markdown")),
            ("s3://bucket/C#/fern?.png", Some("image/png")),
            ("clip.3gp", Some("video/3gpp")),
            ("", None),
        ] {
            assert_eq!(of_name(name), media_type, "{name}");
        }
        assert_eq!(usual_extension("image/JPEG"), Some("jpeg"));
        assert_eq!(usual_extension("Text/Plain; charset=utf-8"), Some("txt"));
        assert_eq!(usual_extension("video/3gpp"), Some("3gp"));
    }

    #[test]
    fn a_data_url_has_a_type_and_base64() {
        assert_eq!(data_url("DATA:image/png;a=b;base64,AAAA"), Some(("image/png", "AAAA")));
        assert_eq!(data_url("data:text/plain ; charset=utf-8; base64,AAAA"), Some(("text/plain", "AAAA")));
        for wrong in ["data:image/png,AAAA", "data:image/png;base64,", "https://example.org", "data"] {
            assert_eq!(data_url(wrong), None, "{wrong}");
        }
    }
}
