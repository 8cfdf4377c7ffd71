//! What a component offers and wants, read from the component itself, so that
//! a misfit is explained in our words and not in the linker's.

use wasmtime::Engine;
use wasmtime::component::Component;

use super::error::LoadError;

/// The newest version of `lantern:projector` that this host serves.
pub const WORLD_VERSION: &str = "0.1.0";

/// The versions served, for people.
const SERVED: &str = "0.1.x";

const EXPORT: &str = "lantern:projector/projection";
const OFFERED: [&str; 3] = [
    "lantern:projector/types",
    "lantern:projector/rows",
    "lantern:projector/log",
];

/// The versions of the world that have an adapter here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum World {
    V0_1,
}

/// The names of a component's imports and exports.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    pub(super) imports: Vec<String>,
    pub(super) exports: Vec<String>,
}

pub(super) fn names(component: &Component, engine: &Engine) -> Names {
    let ty = component.component_type();
    Names {
        imports: ty
            .imports(engine)
            .map(|(name, _)| name.to_owned())
            .collect(),
        exports: ty
            .exports(engine)
            .map(|(name, _)| name.to_owned())
            .collect(),
    }
}

/// Which world a component was built for, if it is one that this host serves
/// and if it wants nothing that this host does not give.
pub(super) fn identify(names: &Names) -> Result<World, LoadError> {
    let exported = names
        .exports
        .iter()
        .find_map(|name| versioned(name, EXPORT));
    let world = match exported {
        None => return Err(LoadError::NotAProjector),
        Some(version) => served(version)?,
    };
    for import in &names.imports {
        let offered = OFFERED.iter().find_map(|name| versioned(import, name));
        match offered {
            Some(version) => served(version)?,
            None => {
                return Err(LoadError::ForbiddenImport {
                    import: import.clone(),
                    advice: advice_on(import),
                });
            }
        };
    }
    Ok(world)
}

/// The version part of `name@version`, when the name is the one asked for.
fn versioned<'a>(full: &'a str, name: &str) -> Option<&'a str> {
    let rest = full.strip_prefix(name)?;
    if rest.is_empty() {
        Some("")
    } else {
        rest.strip_prefix('@')
    }
}

fn served(version: &str) -> Result<World, LoadError> {
    let wrong = |advice| LoadError::WrongVersion {
        built_for: if version.is_empty() {
            "no version".into()
        } else {
            version.to_owned()
        },
        served: SERVED,
        advice,
    };
    let Ok(built_for) = semver::Version::parse(version) else {
        return Err(wrong(
            "build the projector with the SDK that comes with this host",
        ));
    };
    if built_for.major == 0 && built_for.minor == 1 {
        Ok(World::V0_1)
    } else if built_for > semver::Version::new(0, 1, 0) {
        Err(wrong(
            "update the host, or build the projector with an older SDK",
        ))
    } else {
        Err(wrong("build the projector with a newer SDK"))
    }
}

fn advice_on(import: &str) -> &'static str {
    if import.starts_with("wasi:") {
        ": a projector has no files, clock, network or environment; build it for \
         wasm32-unknown-unknown, or with your toolchain's option to stub WASI out"
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(imports: &[&str], exports: &[&str]) -> String {
        let own = |list: &[&str]| list.iter().map(|&name| name.to_owned()).collect();
        let names = Names {
            imports: own(imports),
            exports: own(exports),
        };
        identify(&names).map_or_else(|e| e.to_string(), |_| String::new())
    }

    #[test]
    fn a_misfit_is_named() {
        let good = "lantern:projector/projection@0.1.0";
        assert_eq!(
            refused(
                &["lantern:projector/rows@0.1.3"],
                &["lantern:projector/projection@0.1.3"]
            ),
            ""
        );
        assert!(refused(&[], &["run"]).contains("no projector"));
        assert!(refused(&[], &["lantern:projector/projection@0.2.0"]).contains("update the host"));
        assert!(refused(&[], &["lantern:projector/projection@0.0.9"]).contains("newer SDK"));
        let wasi = refused(&["wasi:clocks/wall-clock@0.2.9"], &[good]);
        assert!(
            wasi.contains("`wasi:clocks/wall-clock@0.2.9`") && wasi.contains("no files"),
            "{wasi}"
        );
        assert!(refused(&["acme:mail/send"], &[good]).contains("acme:mail/send"));
    }
}
