//! Which file is the configuration.

use std::path::{Path, PathBuf};

use super::ConfigError;

/// Where a configuration is looked for when none is named, in this order.
const USUAL: [&str; 2] = ["pressrun.toml", "/etc/pressrun/pressrun.toml"];

/// The configuration: the file that `--config` names, else the one that `PRESSRUN_CONFIG` names (`env`; an empty
/// one names none), else `pressrun.toml` here, else `/etc/pressrun/pressrun.toml`.
///
/// A named file is not looked for: [`super::load`] says when it is not there.
///
/// # Errors
/// When none is named and neither of the usual ones is there.
pub fn find(explicit: Option<&Path>, env: Option<&Path>) -> Result<PathBuf, ConfigError> {
    find_among(explicit, env, &USUAL.map(Path::new))
}

fn find_among(explicit: Option<&Path>, env: Option<&Path>, usual: &[&Path]) -> Result<PathBuf, ConfigError> {
    let env = env.filter(|path| !path.as_os_str().is_empty());
    let there = || usual.iter().copied().find(|path| path.is_file());
    explicit.or(env).or_else(there).map(Path::to_owned).ok_or_else(|| {
        let looked: Vec<String> = usual.iter().map(|path| format!("`{}`", path.display())).collect();
        let what = format!("no configuration: there is no {}", looked.join(" and no "));
        ConfigError::of_file(what, "name one with `--config FILE`, or write one with `pressrun init`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_file_comes_before_the_environment_and_that_before_the_usual_places() {
        let dir = tempfile::tempdir().unwrap();
        let (here, etc) = (dir.path().join("pressrun.toml"), dir.path().join("etc.toml"));
        let usual = [here.as_path(), etc.as_path()];
        let found = |explicit: Option<&str>, env: Option<&str>| {
            find_among(explicit.map(Path::new), env.map(Path::new), &usual).map_err(|error| error.to_string())
        };
        assert!(found(None, None).unwrap_err().contains("pressrun init"));
        std::fs::write(&etc, "").unwrap();
        assert_eq!(found(None, None), Ok(etc.clone()));
        std::fs::write(&here, "").unwrap();
        assert_eq!(found(None, None), Ok(here.clone()));
        assert_eq!(found(None, Some("")), Ok(here.clone()));
        assert_eq!(found(None, Some("env.toml")), Ok("env.toml".into()));
        assert_eq!(found(Some("a.toml"), Some("env.toml")), Ok("a.toml".into()));
    }
}
