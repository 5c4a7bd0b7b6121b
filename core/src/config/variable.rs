//! The variables that a program reads.

/// A variable: its name, what it means, and an example of its value.
///
/// Declare each as a constant at the top of the section that reads it, so that the file's head is the list of them.
/// Whether it is a secret is said by the type it is read as: `Secret<T>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variable {
    name: &'static str,
    own: bool,
    pub(super) meaning: &'static str,
    pub(super) example: &'static str,
}

impl Variable {
    /// A variable of ours: `ROLE` is read as `APP_ROLE`, or with the prefix that the program chose.
    pub const fn own(name: &'static str, meaning: &'static str, example: &'static str) -> Self {
        Self { name, own: true, meaning, example }
    }

    /// A variable whose name the ecosystem has agreed on, such as `DATABASE_URL`.
    pub const fn conventional(name: &'static str, meaning: &'static str, example: &'static str) -> Self {
        Self { name, own: false, meaning, example }
    }

    /// The name in the environment.
    ///
    /// # Examples
    /// ```
    /// use dolmen::config::Variable;
    /// assert_eq!(Variable::own("ROLE", "the roles of this process", "web").full_name("SHOP"), "SHOP_ROLE");
    /// assert_eq!(Variable::conventional("PORT", "where the API listens", "8080").full_name("SHOP"), "PORT");
    /// ```
    pub fn full_name(&self, prefix: &str) -> String {
        if self.own { format!("{prefix}_{}", self.name) } else { self.name.to_owned() }
    }
}
