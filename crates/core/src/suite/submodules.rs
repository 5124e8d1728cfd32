//! What a commit says about its submodules and its files of Git LFS, judged before git acts on it.
//!
//! git has refused most of what is refused here since CVE-2018-11235 and CVE-2018-17456; here it is
//! refused before git sees it, and with a sentence that says what is wrong.

use std::collections::BTreeMap;

use super::origin::{BadAddress, Origin, quoted};

/// The most submodules that one working copy has.
pub const SUBMODULES_MAX: usize = 1000;

/// How many levels of submodules a working copy has.
pub const LEVELS_MAX: usize = 16;

/// One submodule that can be checked out.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Submodule {
    /// What its repository is called below `.git/modules`.
    pub name: String,
    /// Where it stands in the working copy of the repository that has it.
    pub path: String,
    /// Where it is fetched from.
    pub origin: Origin,
}

/// Why a commit's submodules, or its files of Git LFS, are not fetched: a sentence for people.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// The name leads elsewhere (CVE-2018-11235), or is an option of a command.
    #[error("The name {} in .gitmodules is not allowed: choose one without \"..\", which does not begin with \"-\" or \"/\".", quoted(.0))]
    Name(String),
    /// The path leads elsewhere, or is an option of a command (CVE-2018-17456).
    #[error("The path {} in .gitmodules is not allowed: write one inside the repository, which does not begin with \"-\".", quoted(.0))]
    Path(String),
    /// A part of the path is a symbolic link.
    #[error("The submodule {} is behind a symbolic link: give it a path of directories.", quoted(.0))]
    BehindLink(String),
    /// The file asks for a command to be run.
    #[error("The submodule {} has an `update` in .gitmodules that is a command: remove it.", quoted(.0))]
    Command(String),
    /// The address does not go.
    #[error("The address {} of the submodule {} {fault}.", quoted(.url), quoted(.name))]
    Address {
        /// The submodule's name.
        name: String,
        /// What the file says.
        url: String,
        /// What is wrong with it.
        fault: BadAddress,
    },
    /// The submodule is in no file.
    #[error("The commit has a submodule at {}, and .gitmodules does not say where it comes from.", quoted(.0))]
    Unnamed(String),
    /// The file is a link, or git cannot read it.
    #[error("The file .gitmodules cannot be read: write it as `git submodule add` does.")]
    Unreadable,
    /// There are more than [`SUBMODULES_MAX`], or on more levels than [`LEVELS_MAX`].
    #[error(
        "The commit has more than {SUBMODULES_MAX} submodules, or more than {LEVELS_MAX} levels of them."
    )]
    TooMany,
    /// The address of the files of Git LFS does not go.
    #[error("The address {} of Git LFS {fault}.", quoted(.url))]
    LfsAddress {
        /// What the file says.
        url: String,
        /// What is wrong with it.
        fault: BadAddress,
    },
    /// Nobody knows where the files of Git LFS are.
    #[error("Where the files of Git LFS are is not known: write `lfs.url` in .lfsconfig.")]
    NoLfs,
}

/// What .gitmodules says of one submodule.
#[derive(Debug, Default)]
struct Entry {
    path: Option<String>,
    url: Option<String>,
    update: Option<String>,
}

/// Which submodules a commit has, in the order of their paths, given the paths of its gitlinks and
/// its .gitmodules as `git config --null --list` prints it. `this` is the repository's own address.
///
/// # Errors
/// If anything in the file could do harm, or a submodule comes from nowhere. Entries without a
/// gitlink are judged by name and path as well, and their addresses are not looked at.
pub fn submodules(
    gitlinks: &[String],
    listing: &str,
    this: Option<&Origin>,
) -> Result<Vec<Submodule>, Refusal> {
    if gitlinks.len() > SUBMODULES_MAX {
        return Err(Refusal::TooMany);
    }
    let entries = entries(listing);
    let mut by_path: BTreeMap<&str, (&str, &Entry)> = BTreeMap::new();
    for (name, entry) in &entries {
        judge(name, entry)?;
        if let Some(path) = &entry.path {
            by_path.insert(path.trim_end_matches('/'), (name, entry));
        }
    }
    let mut found = Vec::new();
    for path in gitlinks {
        judge_path(path)?;
        let unnamed = || Refusal::Unnamed(path.clone());
        let (name, entry) = by_path.get(path.as_str()).ok_or_else(unnamed)?;
        let url = entry.url.as_deref().ok_or_else(unnamed)?;
        let origin = Origin::resolve(url, this).map_err(|fault| Refusal::Address {
            name: (*name).to_owned(),
            url: url.to_owned(),
            fault,
        })?;
        found.push(Submodule {
            name: (*name).to_owned(),
            path: path.clone(),
            origin,
        });
    }
    Ok(found)
}

/// Where a repository's files of Git LFS are, given its .lfsconfig as `git config --null --list`
/// prints it, and its own address (git-lfs-config(5): `lfs.url`, then `remote.origin.lfsurl`).
///
/// # Errors
/// If the address does not go.
pub fn lfs_origin(listing: &str, this: Option<&Origin>) -> Result<Origin, Refusal> {
    let value = |wanted: &str| {
        let mut found = pairs(listing).filter(|(key, _)| *key == wanted);
        found.next_back().map(|(_, value)| value)
    };
    match value("lfs.url").or_else(|| value("remote.origin.lfsurl")) {
        Some(url) => Origin::parse(url).map_err(|fault| Refusal::LfsAddress {
            url: url.to_owned(),
            fault,
        }),
        None => this.and_then(Origin::lfs).ok_or(Refusal::NoLfs),
    }
}

/// Keys and values; the last of a key counts.
fn pairs(listing: &str) -> impl DoubleEndedIterator<Item = (&str, &str)> {
    let pairs = listing.split('\0').filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('\n').unwrap_or((pair, "")))
}

fn entries(listing: &str) -> BTreeMap<String, Entry> {
    let mut entries: BTreeMap<String, Entry> = BTreeMap::new();
    for (key, value) in pairs(listing) {
        let named = key.strip_prefix("submodule.");
        let Some((name, variable)) = named.and_then(|named| named.rsplit_once('.')) else {
            continue;
        };
        let entry = entries.entry(name.to_owned()).or_default();
        let value = Some(value.to_owned());
        match variable {
            "path" => entry.path = value,
            "url" => entry.url = value,
            "update" => entry.update = value,
            _ => {}
        }
    }
    entries
}

fn judge(name: &str, entry: &Entry) -> Result<(), Refusal> {
    let leads_out = name.split(['/', '\\']).any(|part| part == "..");
    let is_odd = name.is_empty() || name.starts_with(['-', '/']) || has_control(name);
    if leads_out || is_odd {
        return Err(Refusal::Name(name.to_owned()));
    }
    if let Some(path) = &entry.path {
        judge_path(path)?;
    }
    let url = entry.url.as_deref().unwrap_or_default();
    if url.starts_with('-') {
        return Err(Refusal::Address {
            name: name.to_owned(),
            url: url.to_owned(),
            fault: BadAddress::NotWeb,
        });
    }
    let is_command = |update: &String| update.trim_start().starts_with('!');
    if entry.update.as_ref().is_some_and(is_command) {
        return Err(Refusal::Command(name.to_owned()));
    }
    Ok(())
}

fn judge_path(path: &str) -> Result<(), Refusal> {
    let is_odd = |part: &str| part == ".." || part.eq_ignore_ascii_case(".git");
    if path.is_empty()
        || path.starts_with(['-', '/'])
        || path.split('/').any(is_odd)
        || has_control(path)
    {
        return Err(Refusal::Path(path.to_owned()));
    }
    Ok(())
}

fn has_control(text: &str) -> bool {
    text.contains(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A .gitmodules with one submodule `x` at `x`, with these values instead.
    fn listing(name: &str, values: &[(&str, &str)]) -> String {
        let mut all = BTreeMap::from([("path", "x"), ("url", "https://h.example/x")]);
        all.extend(values.iter().copied());
        let lines = all.iter();
        let lines = lines.map(|(key, value)| format!("submodule.{name}.{key}\n{value}\0"));
        lines.collect()
    }

    fn this() -> Origin {
        Origin::parse("https://h.example/owner/name").unwrap()
    }

    fn judged(listing: &str) -> Result<Vec<Submodule>, Refusal> {
        submodules(&["x".to_owned()], listing, Some(&this()))
    }

    #[test]
    fn a_submodule_is_found_by_its_path() {
        for (name, path) in [("x", "x"), ("lib/x.y", "x"), ("x", "x/")] {
            let found = judged(&listing(name, &[("path", path), ("url", "../o.git")])).unwrap();
            assert_eq!(found[0].name, name);
            assert_eq!(found[0].path, "x");
            let origin = found[0].origin.to_string();
            assert_eq!(origin, "https://h.example/owner/o.git");
        }
    }

    #[test]
    fn hostile_names_are_refused_even_without_a_submodule() {
        for name in [
            "../../hooks",
            "a/../b",
            "..",
            "a\\..\\b",
            "-u",
            "/etc",
            "a\u{7}",
        ] {
            let listing = listing(name, &[("path", "elsewhere")]);
            let refusal = submodules(&[], &listing, None).unwrap_err();
            assert_eq!(refusal, Refusal::Name(name.to_owned()));
        }
    }

    #[test]
    fn hostile_paths_are_refused() {
        for path in [
            "-u",
            "../x",
            "/x",
            "a/../x",
            ".git/hooks",
            "a/.GIT",
            "",
            "a\tb",
        ] {
            let refusal = submodules(&[], &listing("x", &[("path", path)]), None);
            assert_eq!(refusal, Err(Refusal::Path(path.to_owned())));
            let refusal = submodules(&[path.to_owned()], "", None);
            assert_eq!(refusal, Err(Refusal::Path(path.to_owned())));
        }
    }

    #[test]
    fn hostile_addresses_and_commands_are_refused() {
        for url in [
            "-u./payload",
            "file:///etc",
            "ext::sh",
            "git@h.example:o/r",
            "../../../x",
        ] {
            let refusal = judged(&listing("x", &[("url", url)])).unwrap_err();
            assert!(matches!(refusal, Refusal::Address { .. }), "{refusal}");
            assert!(refusal.to_string().contains(url), "{refusal}");
        }
        let unused = listing("x", &[("url", "-u./payload"), ("path", "elsewhere")]);
        assert!(submodules(&[], &unused, None).is_err());
        let refusal = judged(&listing("x", &[("update", "!touch y")]));
        assert_eq!(refusal, Err(Refusal::Command("x".to_owned())));
        assert!(judged(&listing("x", &[("update", "rebase")])).is_ok());
    }

    #[test]
    fn a_gitlink_that_comes_from_nowhere_is_refused() {
        let unnamed = Err(Refusal::Unnamed("x".to_owned()));
        assert_eq!(judged(""), unnamed);
        assert_eq!(judged(&listing("x", &[("path", "y")])), unnamed);
        assert_eq!(judged("submodule.x.path\nx\0"), unnamed);
    }

    #[test]
    fn there_are_only_so_many() {
        let many: Vec<String> = (0..=SUBMODULES_MAX).map(|at| at.to_string()).collect();
        assert_eq!(submodules(&many, "", None), Err(Refusal::TooMany));
    }

    #[test]
    fn lfs_is_where_its_own_file_says() {
        let found = |listing: &str| {
            let found = lfs_origin(listing, Some(&this()));
            found.map(|origin| origin.to_string())
        };
        let beside = "https://h.example/owner/name.git/info/lfs";
        assert_eq!(found("").as_deref(), Ok(beside));
        assert_eq!(found("lfs.fetchinclude\nx\0").as_deref(), Ok(beside));
        let both = "remote.origin.lfsurl\nhttps://b.example/\0lfs.url\nhttps://a.example/\0";
        assert_eq!(found(both).as_deref(), Ok("https://a.example/"));
        let one = "remote.origin.lfsurl\nhttps://b.example/\0";
        assert_eq!(found(one).as_deref(), Ok("https://b.example/"));
        for url in [
            "file:///etc",
            "ssh://h.example/",
            "https://u:p@h.example/",
            "../x",
        ] {
            let refusal = found(&format!("lfs.url\n{url}\0")).unwrap_err();
            assert!(matches!(refusal, Refusal::LfsAddress { .. }), "{refusal}");
        }
        assert_eq!(lfs_origin("", None), Err(Refusal::NoLfs));
    }
}
