//! What all tables of settings have in common.

/// Declares a table of settings. What is not set is `None`. Each setting is a key of the file, a
/// flag and an environment variable, all of one name: see [`named`].
///
/// The name that is given is the table's own in the file, with an underscore after it; `with` lists
/// tables within it.
macro_rules! table {
    (
        $(#[$attribute:meta])*
        pub struct $name:ident($prefix:literal) {
            $($(#[$of_field:meta])* pub $field:ident: $type:ty,)*
            $(with { $($(#[$of_table:meta])* pub $table:ident: $of:ty,)* })?
        }
    ) => {
        $(#[$attribute])*
        #[derive(
            clap::Args, Clone, Debug, Default, Eq, PartialEq, serde::Deserialize, serde::Serialize,
        )]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            $(
                $(#[$of_field])*
                #[arg(
                    id = concat!($prefix, stringify!($field)),
                    long = concat!($prefix, stringify!($field))
                )]
                pub $field: $type,
            )*
            $($(
                $(#[$of_table])*
                #[command(flatten)]
                pub $table: $of,
            )*)?
        }

        impl $name {
            /// These settings, and where they are not set, those.
            #[must_use]
            pub fn or(self, other: Self) -> Self {
                Self {
                    $($field: self.$field.or(other.$field),)*
                    $($($table: self.$table.or(other.$table),)*)?
                }
            }
        }
    };
}

pub(super) use table;

/// Gives every setting its flag and its environment variable: `idle_seconds` in the table `limits`
/// is `--limits-idle-seconds` and POSTERN_LIMITS_IDLE_SECONDS.
pub fn named(command: clap::Command) -> clap::Command {
    command.mut_args(|argument| {
        let name = argument.get_id().as_str().to_owned();
        let variable = format!("POSTERN_{}", name.to_ascii_uppercase());
        argument.long(name.replace('_', "-")).env(variable)
    })
}
