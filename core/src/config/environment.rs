//! Whether a process serves real users.

use super::value::{Refusal, SettingValue, choose};
use super::{Env, Variable};

const ENVIRONMENT: Variable = Variable::own("ENV", "whether real users depend on this process", "production");

/// Whether a process serves real users: in production, fakes and demo data refuse to start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[expect(clippy::exhaustive_enums, reason = "a third kind would need a meaning for every default")]
pub enum Environment {
    /// A developer's machine or a test; the default.
    #[default]
    Development,
    /// Anything that real users depend on.
    Production,
}

impl Environment {
    /// Reads `APP_ENV`.
    ///
    /// # Examples
    /// ```
    /// use dolmen::config::{Env, Environment};
    /// let mut env = Env::from_pairs("APP", [("APP_ENV", "production")]);
    /// assert!(Environment::load(&mut env).is_production());
    /// ```
    pub fn load(env: &mut Env) -> Self {
        env.or(&ENVIRONMENT, Self::Development)
    }

    /// Whether real users depend on this process.
    pub const fn is_production(self) -> bool {
        matches!(self, Self::Production)
    }
}

impl SettingValue for Environment {
    fn parse(text: &str) -> Result<Self, Refusal> {
        choose(text, &[("development", Self::Development), ("production", Self::Production)])
    }

    fn show(&self) -> String {
        match self {
            Self::Development => "development".to_owned(),
            Self::Production => "production".to_owned(),
        }
    }
}
