//! Places in lists, counted from 0: one type a list, so that a place in one list is not taken for a place in another.

/// Declares the type of the places in one list.
#[macro_export]
macro_rules! index_types {
    ($($(#[$doc:meta])* $name:ident;)+) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
            pub struct $name(usize);

            impl $name {
                /// The place with this number, from 0.
                pub const fn new(number: usize) -> $name {
                    $name(number)
                }

                /// Its number, from 0.
                pub const fn get(self) -> usize {
                    self.0
                }
            }

            impl std::fmt::Display for $name {
                fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    self.0.fmt(f)
                }
            }

            // As a number, because what has one is printed as a whole.
            impl std::fmt::Debug for $name {
                fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    self.0.fmt(f)
                }
            }
        )+
    };
}

index_types! {
    /// The place of a member in its bundle; the primary's is the first.
    MemberIndex;
    /// The place of an order among those that come with a request.
    OrderIndex;
    /// The place of a package among those that come with a use.
    PackageIndex;
    /// The place of a notice in the list of a plugin's manifest.
    NoticeIndex;
    /// The place of a policy in its set, in the order of the chain.
    PolicyIndex;
    /// The place of an approval among those of its bundle.
    ApprovalIndex;
    /// The place of an account among those that come with the requests to a plugin.
    AccountIndex;
}

impl MemberIndex {
    /// The place of a bundle's primary.
    pub const PRIMARY: MemberIndex = MemberIndex::new(0);
}
