//! The macro that declares the types of events. Knows no type of event.

/// Declares the types of events, with their names in every format, their usual severities, and their fields in the order of every
/// format.
macro_rules! event_kinds {
    ($(
        $(#[$doc:meta])*
        $kind:ident = $name:literal, $severity:ident $({ $( $(#[$field_doc:meta])* $field:ident: $type:ty, )+ })?,
    )+) => {
        /// A type of event, with its fields.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum EventKind {
            $( $(#[$doc])* $kind $({ $( $(#[$field_doc])* $field: $type, )+ })?, )+
        }

        impl EventKind {
            /// The names of all types of event, in the order of the enumeration.
            pub const TYPES: &'static [&'static str] = &[$( $name, )+];

            /// The name of this type of event in every format.
            pub const fn name(&self) -> &'static str {
                match self {
                    $( EventKind::$kind $({ $( $field: _, )+ })? => $name, )+
                }
            }

            /// How bad such an event is, if none of its fields makes a difference; see [`Severity::of`](crate::severity::Severity::of).
            pub(crate) const fn usual_severity(&self) -> $crate::severity::Severity {
                match self {
                    $( EventKind::$kind $({ $( $field: _, )+ })? => $crate::severity::Severity::$severity, )+
                }
            }

            /// Calls `visit` with the name and the value of every field, in their order.
            pub fn visit_fields<'e>(&'e self, mut visit: impl FnMut(&'static str, $crate::field::FieldValue<'e>)) {
                match self {
                    $(
                        EventKind::$kind $({ $( $field, )+ })? => {
                            $( $( visit(stringify!($field), $crate::field::Field::value($field)); )+ )?
                        }
                    )+
                }
            }

            /// The event of the type called `name` with the fields that `source` has; `None` when there is no such type,
            /// or when `source` lacks a field. Every field is read, so that `source` can report every problem.
            pub fn read(name: &str, source: &mut impl $crate::field::FieldSource) -> Option<EventKind> {
                match name {
                    $(
                        $name => {
                            $( $( let $field = $crate::field::Field::read(stringify!($field), source); )+ )?
                            Some(EventKind::$kind $({ $( $field: $field?, )+ })?)
                        }
                    )+
                    _ => None,
                }
            }
        }
    };
}

pub(crate) use event_kinds;
