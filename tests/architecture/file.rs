//! A source file: where its words stand, which modules they name.

use std::path::{Path, PathBuf};

use super::words::{Word, placed, words};

/// A source file of the program.
pub(crate) struct File {
    pub(crate) path: PathBuf,
    pub(crate) module: Vec<String>,
    pub(crate) words: Vec<Word>,
}

/// The path of the module that a file of a package's `src/` holds.
fn module_of(path: &Path) -> Vec<String> {
    let mut module: Vec<String> = path
        .with_extension("")
        .components()
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .skip_while(|part| part != "src")
        .skip(1)
        .collect();
    let is_root = module.len() == 1;
    module.pop_if(|last| last == "mod" || (is_root && (last == "lib" || last == "main")));
    module
}

impl File {
    pub(crate) fn new(path: PathBuf, source: &str) -> Self {
        let module = module_of(&path);
        let words = placed(words(source), &module);
        Self {
            path,
            module,
            words,
        }
    }

    pub(crate) fn fault(&self, index: usize, what: &str) -> String {
        format!("{}:{}: {what}", self.path.display(), self.words[index].line)
    }

    fn text(&self, index: usize) -> &str {
        self.words.get(index).map_or("", |word| &word.text)
    }

    pub(crate) fn starts(&self, index: usize, texts: &[&str]) -> bool {
        texts
            .iter()
            .enumerate()
            .all(|(offset, text)| self.text(index + offset) == *text)
    }

    pub(crate) fn find<'a>(&'a self, texts: &'a [&str]) -> impl Iterator<Item = usize> + 'a {
        (0..self.words.len()).filter(|&index| self.starts(index, texts))
    }

    /// The modules of the crate that are named, and by which word.
    pub(crate) fn uses(&self) -> Vec<(usize, String)> {
        let mut uses = Vec::new();
        for index in 0..self.words.len() {
            let after = match self.text(index) {
                "crate" if self.text(index + 1) == "::" => Some(index + 2),
                "super" if index == 0 || self.text(index - 1) != "::" => self.root_by_super(index),
                _ => None,
            };
            let targets = after.map(|after| self.targets(after)).unwrap_or_default();
            uses.extend(targets.into_iter().map(|target| (index, target)));
        }
        uses
    }

    /// What follows a chain of `super::` that ends at the root of the crate.
    fn root_by_super(&self, index: usize) -> Option<usize> {
        let mut after = index;
        let mut climbed = 0;
        while self.starts(after, &["super", "::"]) {
            after += 2;
            climbed += 1;
        }
        (climbed == self.words[index].module.len()).then_some(after)
    }

    /// The first names of a path, or of each path in braces.
    pub(crate) fn targets(&self, start: usize) -> Vec<String> {
        if self.text(start) != "{" {
            return vec![self.text(start).to_owned()];
        }
        let mut targets = Vec::new();
        let mut depth = 0_usize;
        for index in start..self.words.len() {
            match self.text(index) {
                "{" => depth += 1,
                "}" => depth -= 1,
                name if depth == 1 && ["{", ","].contains(&self.text(index - 1)) => {
                    targets.push(name.to_owned());
                }
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
        targets
    }

    /// The module that the attribute at this word belongs to.
    pub(crate) fn module_after_attribute(&self, start: usize) -> Option<Vec<String>> {
        let mut index = start;
        while self.text(index) == "#" {
            index += 1 + self.group_length(index + 1);
        }
        if self.text(index) == "pub" {
            index += 1;
            if self.text(index) == "(" {
                index += self.group_length(index);
            }
        }
        (self.text(index) == "mod").then(|| {
            let mut module = self.words[index].module.clone();
            module.push(self.text(index + 1).to_owned());
            module
        })
    }

    /// How many words a group in parentheses or brackets takes, with those.
    fn group_length(&self, start: usize) -> usize {
        let mut depth = 0_usize;
        for index in start..self.words.len() {
            match self.text(index) {
                "(" | "[" => depth += 1,
                ")" | "]" => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return index - start + 1;
            }
        }
        self.words.len() - start
    }

    pub(crate) fn parenthesis(&self, start: usize) -> Vec<&str> {
        let start = if self.text(start) == "!" {
            start + 1
        } else {
            start
        };
        if self.text(start) != "(" {
            return Vec::new();
        }
        (start..start + self.group_length(start))
            .map(|index| self.text(index))
            .collect()
    }
}
