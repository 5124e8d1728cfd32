//! How the files are called that are kept of a suite.

use std::fmt;

/// The longest path, in bytes.
const PATH_BYTES_MAX: usize = 1024;
/// The longest name of a file or directory, in bytes as a storage spells it.
const NAME_BYTES_MAX: usize = 255;

/// Where a file is below the working copy: names between single slashes, none of them `.` or
/// `..`, without control characters.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ArtifactPath(String);

/// Such a path is not taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadPath {
    /// It leads, or may lead, out of the working copy.
    #[error("leads out of the working copy")]
    Outside,
    /// It cannot be shown or stored.
    #[error("has a name that cannot be kept")]
    Name,
    /// It is too long.
    #[error("is too long")]
    TooLong,
}

impl ArtifactPath {
    /// Takes a path as it is spelt here.
    ///
    /// # Errors
    /// See [`BadPath`].
    pub fn new(path: &str) -> Result<Self, BadPath> {
        if path.len() > PATH_BYTES_MAX {
            return Err(BadPath::TooLong);
        }
        for name in path.split('/') {
            if matches!(name, "" | "." | "..") {
                return Err(BadPath::Outside);
            }
            if name.contains(char::is_control) {
                return Err(BadPath::Name);
            }
            // Storages write each byte that is not plain as three.
            let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
            let odd = name.bytes().filter(|byte| !plain(byte)).count();
            if name.len() + 2 * odd > NAME_BYTES_MAX {
                return Err(BadPath::TooLong);
            }
        }
        Ok(Self(path.to_owned()))
    }

    /// The path.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The names that it is made of.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }
}

impl fmt::Display for ArtifactPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_paths_below_the_working_copy_are_taken() {
        for good in ["a", "out/test-suite.log", "a b/ü?#%", "...", ".hidden"] {
            assert_eq!(ArtifactPath::new(good).unwrap().as_str(), good);
        }
        for outside in ["", "/etc/passwd", "a/../b", "..", ".", "a//b", "a/", "./a"] {
            assert_eq!(
                ArtifactPath::new(outside),
                Err(BadPath::Outside),
                "{outside}"
            );
        }
        for odd in ["a\nb", "a\0", "\u{85}"] {
            assert_eq!(ArtifactPath::new(odd), Err(BadPath::Name), "{odd:?}");
        }
        for long in ["x".repeat(256), "é".repeat(64), "a/".repeat(512) + "a"] {
            assert_eq!(ArtifactPath::new(&long), Err(BadPath::TooLong), "{long}");
        }
    }
}
