//! ID (RFC 2971).

use super::{Command, InvalidArgument, encoder::Encoder};

impl Command {
    /// Tells the server who we are, and asks who it is.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument::Nul`] if a NUL byte is in a name or value.
    pub fn id(fields: &[(&str, &str)]) -> Result<Self, InvalidArgument> {
        if fields.is_empty() {
            return Ok(Self::new("ID", Encoder::new("ID NIL").finish()));
        }
        let mut encoder = Encoder::new("ID");
        for (index, (name, value)) in fields.iter().enumerate() {
            // The list's bracket stands where a string brings its own space.
            encoder = match index {
                0 => encoder.text(" (").unspaced(name.as_bytes())?,
                _ => encoder.string(name.as_bytes())?,
            };
            encoder = encoder.string(value.as_bytes())?;
        }
        Ok(Self::new("ID", encoder.text(")").finish()))
    }
}
