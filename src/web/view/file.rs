//! A file that a suite left, as pages show it.

use paprq_core::notes;

/// How much of a path is shown, in characters.
const PATH_CHARS_MAX: usize = 300;

/// A file, or a directory, whose name ends in a slash.
#[derive(Clone, Debug)]
pub(in crate::web) struct FileView {
    pub(in crate::web) name: String,
    pub(in crate::web) url: String,
    /// Empty for directories.
    pub(in crate::web) size: String,
}

impl FileView {
    pub(in crate::web) fn new(name: &str, bytes: Option<u64>, url: String) -> Self {
        Self {
            name: shown_path(name),
            size: bytes.map(size).unwrap_or_default(),
            url,
        }
    }
}

/// A path as it may be shown.
pub(in crate::web) fn shown_path(path: &str) -> String {
    notes::plain(path, PATH_CHARS_MAX)
}

/// Such as `17 bytes` or `3.4 MiB`.
fn size(bytes: u64) -> String {
    let units = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
    let unit = units.iter().find(|(shift, _)| bytes >> shift > 0);
    match unit {
        None if bytes == 1 => "1 byte".to_owned(),
        None => format!("{bytes} bytes"),
        Some((shift, unit)) => {
            let tenths = (u128::from(bytes) * 10) >> shift;
            format!("{}.{} {unit}", tenths / 10, tenths % 10)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_as_people_say_them() {
        let sizes = [0, 1, 1023, 1024, 3_600_000, 5 << 30].map(size);
        let said = [
            "0 bytes",
            "1 byte",
            "1023 bytes",
            "1.0 KiB",
            "3.4 MiB",
            "5.0 GiB",
        ];
        assert_eq!(sizes, said);
    }
}
