//! The layers of the design, and the sentence that sends misplaced code home.

/// A layer of the workspace, as `[workspace.metadata.dolmen.layers]` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layer {
    Ports,
    Core,
    Adapters,
    Testkit,
    Modules,
    Binary,
    Book,
    Harness,
    Tools,
}

impl Layer {
    const ALL: [(&'static str, Self); 9] = [
        ("ports", Self::Ports),
        ("core", Self::Core),
        ("adapters", Self::Adapters),
        ("testkit", Self::Testkit),
        ("modules", Self::Modules),
        ("binary", Self::Binary),
        ("book", Self::Book),
        ("harness", Self::Harness),
        ("tools", Self::Tools),
    ];

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, layer)| *layer)
    }

    pub(crate) fn names() -> String {
        Self::ALL.map(|(name, _)| name).join(", ")
    }

    /// What crates of this layer may use, in words.
    pub(crate) fn rule(self) -> &'static str {
        match self {
            Self::Ports => "ports depends on no crate of ours",
            Self::Core => "core depends on ports only",
            Self::Adapters => "an adapter depends on ports only (dolmen-poem also on core)",
            Self::Testkit => "testkit depends on ports and core only",
            Self::Modules => {
                "a module depends on core, ports, dolmen-sql, dolmen-poem and other modules only"
            }
            Self::Binary => "the binary depends on everything but testkit, book and tools",
            Self::Book => "the book depends on everything but the binary and tools",
            Self::Harness => "a program for fault tests depends on everything but testkit, book and tools",
            Self::Tools => "xtask depends on no crate of ours: it must build when they do not",
        }
    }

    /// Where code goes that made a crate of this layer reach for something it may not use.
    pub(crate) fn where_the_code_belongs(self) -> &'static str {
        match self {
            Self::Ports => {
                "keep the trait in ports/ and put what implements or calls it into core/ or an adapter"
            }
            Self::Core => {
                "ask for a port in ports/ instead, and let the binary hand core the adapter; wiring belongs in \
                 reference-app/src/platform.rs"
            }
            Self::Adapters => {
                "one technology per adapter: put shared traits and values into ports/, and code that joins two \
                 adapters into the binary (reference-app/src/platform.rs)"
            }
            Self::Testkit => {
                "fakes and suites know ports only; a test that needs a real adapter belongs in that adapter's tests/"
            }
            Self::Modules => {
                "let the module ask for a port, and hand it the adapter in reference-app/src/modules.rs"
            }
            Self::Binary => "test code belongs in reference-app/tests/, with a dev-dependency",
            Self::Harness => "what is under test must be what ships, so fakes stay outside",
            Self::Book => "move the sample's code into a crate, or show it as text",
            Self::Tools => {
                "start the program you need as a process, or put the code into a test of its crate"
            }
        }
    }
}
