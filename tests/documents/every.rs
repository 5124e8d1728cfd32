//! Samples of a type that hold every variant and every field of it, in each place where it occurs.
//!
//! `every!` names the fields and variants of a type; the compiler refuses a list from which one is
//! missing. A field of type `Option`, a list or a map is once there and once not.

use std::collections::{BTreeMap, BTreeSet};

/// A type of which there are samples.
pub(crate) trait Every: Sized {
    /// The samples; at least one.
    fn every() -> Vec<Self>;
}

/// Picks the fields of one sample after the other, until each value of each field was picked.
#[derive(Default)]
pub(crate) struct Picks {
    round: usize,
    field: usize,
    rounds: usize,
}

impl Picks {
    /// All samples that this makes.
    pub(crate) fn all<T>(make: impl Fn(&mut Self) -> T) -> Vec<T> {
        let mut picks = Self::default();
        let mut samples = Vec::new();
        loop {
            samples.push(make(&mut picks));
            picks.round += 1;
            picks.field = 0;
            if picks.round >= picks.rounds {
                return samples;
            }
        }
    }

    /// The next field: of fields of the same type each gets another value.
    pub(crate) fn next<T: Every>(&mut self) -> T {
        let mut every = T::every();
        self.rounds = self.rounds.max(every.len());
        let at = (self.round + self.field) % every.len();
        self.field += 1;
        every.swap_remove(at)
    }
}

/// The samples of a type by its fields, or by its variants with theirs; what a variant without
/// names holds is written `_`.
macro_rules! every {
    (struct $name:ty { $($field:ident),* $(,)? }) => {
        impl $crate::every::Every for $name {
            fn every() -> Vec<Self> {
                $crate::every::Picks::all(|picks| Self { $($field: picks.next()),* })
            }
        }
    };
    (enum $name:ty { $(
        $variant:ident $({ $($field:ident),* $(,)? })? $(($hole:tt))?
    ),* $(,)? }) => {
        impl $crate::every::Every for $name {
            fn every() -> Vec<Self> {
                let _all_are_named = |value: &Self| match value {
                    $(Self::$variant { .. } => {})*
                };
                let mut every = Vec::new();
                $(every.extend($crate::every::Picks::all(|_picks| {
                    Self::$variant $({ $($field: _picks.next()),* })? $((every!(@pick _picks $hole)))?
                }));)*
                every
            }
        }
    };
    (@pick $picks:ident _) => { $picks.next() };
    (values $name:ty { $($value:expr),* $(,)? }) => {
        impl $crate::every::Every for $name {
            fn every() -> Vec<Self> {
                vec![$($value),*]
            }
        }
    };
}
pub(crate) use every;

impl<T: Every> Every for Option<T> {
    fn every() -> Vec<Self> {
        let there = T::every().into_iter().map(Some);
        std::iter::once(None).chain(there).collect()
    }
}

impl<T: Every> Every for Vec<T> {
    fn every() -> Vec<Self> {
        vec![Self::new(), T::every()]
    }
}

impl<T: Every + Ord> Every for BTreeSet<T> {
    fn every() -> Vec<Self> {
        vec![Self::new(), T::every().into_iter().collect()]
    }
}

impl<K: Every + Ord, V: Every> Every for BTreeMap<K, V> {
    fn every() -> Vec<Self> {
        let keys = K::every().into_iter();
        vec![Self::new(), keys.zip(V::every().into_iter()).collect()]
    }
}
