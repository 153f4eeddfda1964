//! What the binary carries: the example configuration, its schema, the templates.

/// `report.toml` as shipped.
pub(super) const TEMPLATE: &str = include_str!("../../report_templates/product-licenses/report.toml");
/// `roles.toml` as shipped.
pub(super) const ROLES: &str = include_str!("../../report_templates/product-licenses/roles.toml");

/// The example, pointing to the templates beside it.
const EXAMPLE: &str = concat!(
    include_str!("../../config/example.toml"),
    "\n# The templates beside this file; a file that is taken out of the folder is the shipped one again.\n",
    "[templates]\nfolder = \"report_templates\"\n"
);

macro_rules! email {
    ($name:literal) => {
        (
            concat!("report_templates/product-licenses/email/", $name),
            include_str!(concat!("../../report_templates/product-licenses/email/", $name)),
        )
    };
}

/// What `init` writes: paths from the folder, each with its text.
pub fn shipped_files() -> Vec<(&'static str, &'static str)> {
    vec![
        ("pressrun.toml", EXAMPLE),
        ("pressrun.schema.json", include_str!("../../config/pressrun.schema.json")),
        ("report_templates/product-licenses/report.toml", TEMPLATE),
        ("report_templates/product-licenses/roles.toml", ROLES),
        email!("subject.txt"),
        email!("body.txt"),
        email!("body.html"),
    ]
}
