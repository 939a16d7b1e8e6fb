//! The folders of each crate import only what the table in its `lib.rs` allows. A folder may import only folders
//! further down in that table, so there are no cycles.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::Visit;

/// Importing folder → imported folder → files with such an import.
type Arrows = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

/// A row of the table: a folder and the folders that it may import.
type Row = (String, BTreeSet<String>);

#[test]
fn arrows_of_the_core_fall() {
    compare("core/src");
}

#[test]
fn arrows_of_the_c_library_fall() {
    compare("ffi/src");
}

#[test]
fn arrows_of_the_addon_fall() {
    compare("node-binding/src");
}

#[test]
fn an_import_that_is_not_in_the_table_is_found() {
    let rows = table("//! | folder | sees |\n//! |---|---|\n//! | `top` | `low` |\n//! | [`low`] | |\n");
    assert_eq!(rows.len(), 2);
    for (source, right) in [
        ("use crate::low::A;", true),
        ("use crate::top::B;", true),
        ("use crate::{low, other::C};", false),
        ("use super::super::other::C;", false),
        ("fn f() -> crate::other::D { loop {} }", false),
        ("mod inner { use super::super::super::other::C; }", false),
        ("mod inner { use super::E; }", true),
        ("#[cfg(test)] mod tests { use crate::other::C; }", true),
    ] {
        let mut arrows = Arrows::new();
        read(source, &["top".to_owned(), "file".to_owned()], "top/file.rs", &mut arrows);
        assert_eq!(faults(&rows, &arrows, false).is_empty(), right, "{source}: {arrows:?}");
    }
    let up = table("//! | folder | sees |\n//! |---|---|\n//! | `low` | `top` |\n//! | `top` | `low` |\n");
    assert_eq!(faults(&up, &Arrows::new(), false).len(), 1, "an arrow that rises");
}

fn compare(folder: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder);
    let rows = table(&fs::read_to_string(root.join("lib.rs")).unwrap());
    let mut arrows = Arrows::new();
    for file in files(&root) {
        let name = file.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
        let module = module_of(&name);
        if module.is_empty() || name.split('/').any(|part| part == "tests" || part.ends_with("tests.rs")) {
            continue;
        }
        read(&fs::read_to_string(&file).unwrap(), &module, &name, &mut arrows);
    }
    let faults = faults(&rows, &arrows, true);
    assert!(faults.is_empty(), "the table in {folder}/lib.rs and the code differ:\n{}", faults.join("\n"));
}

/// The rows of the table whose second column is `sees`.
fn table(lib: &str) -> Vec<Row> {
    let names = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<BTreeSet<_>>();
    lib.lines()
        .skip_while(|line| !line.starts_with("//! | folder | sees |"))
        .skip(2)
        .map_while(|line| line.strip_prefix("//! |"))
        .map(|line| {
            let mut cells = line.split('|');
            let folder = names(cells.next().unwrap_or_default());
            assert_eq!(folder.len(), 1, "a row names one folder: {line}");
            (folder.into_iter().next().unwrap(), names(cells.next().unwrap_or_default()))
        })
        .collect()
}

/// The violations; with `all`, also rows and names that are not needed.
fn faults(rows: &[Row], arrows: &Arrows, all: bool) -> Vec<String> {
    let mut faults = Vec::new();
    for (from, seen) in arrows {
        let Some((_, may)) = rows.iter().find(|(folder, _)| folder == from) else {
            faults.push(format!("`{from}` has no row"));
            continue;
        };
        for (to, files) in seen {
            if !may.contains(to) {
                let files: Vec<_> = files.iter().map(String::as_str).collect();
                faults.push(format!("`{from}` must not see `{to}`: {}", files.join(", ")));
            }
        }
        if all {
            for unused in may.iter().filter(|to| !seen.contains_key(*to)) {
                faults.push(format!("`{from}` does not see `{unused}` any more: take it out of the row"));
            }
        }
    }
    for (i, (folder, may)) in rows.iter().enumerate() {
        for up in may.iter().filter(|to| !rows[i + 1..].iter().any(|(below, _)| below == *to)) {
            faults.push(format!("`{folder}` sees `{up}`, which is not below it in the table"));
        }
        if all && !arrows.contains_key(folder) {
            faults.push(format!("`{folder}` is in the table, but not there"));
        }
    }
    faults
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|ext| ext == "rs") {
            found.push(path);
        }
    }
    found
}

/// `shard/conn/mod.rs` is `["shard", "conn"]`, `lib.rs` is `[]`.
fn module_of(name: &str) -> Vec<String> {
    let mut module: Vec<_> = name.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if module.last().is_some_and(|last| last == "mod" || last == "lib") {
        module.pop();
    }
    module
}

fn read(source: &str, module: &[String], file: &str, arrows: &mut Arrows) {
    let parsed = syn::parse_file(source).unwrap_or_else(|error| panic!("{file}: {error}"));
    arrows.entry(module[0].clone()).or_default();
    let mut reader = Reader { module: module.to_vec(), file, arrows };
    reader.visit_file(&parsed);
}

/// Records the folder of each path that begins with `crate` or `super`.
struct Reader<'a> {
    module: Vec<String>,
    file: &'a str,
    arrows: &'a mut Arrows,
}

impl Reader<'_> {
    fn note(&mut self, path: &[String]) {
        let supers = path.iter().take_while(|part| *part == "super").count();
        let to = match path.first().map(String::as_str) {
            Some("crate") => path.get(1).cloned(),
            Some("super") if supers >= self.module.len() => path.get(supers).cloned(),
            _ => None,
        };
        if let Some(to) = to.filter(|to| *to != self.module[0]) {
            let from = self.arrows.entry(self.module[0].clone()).or_default();
            from.entry(to).or_default().insert(self.file.to_owned());
        }
    }

    fn walk(&mut self, tree: &syn::UseTree, path: &mut Vec<String>) {
        match tree {
            syn::UseTree::Path(step) => {
                path.push(step.ident.to_string());
                self.walk(&step.tree, path);
                path.pop();
            }
            syn::UseTree::Group(group) => group.items.iter().for_each(|tree| self.walk(tree, path)),
            syn::UseTree::Name(syn::UseName { ident })
            | syn::UseTree::Rename(syn::UseRename { ident, .. }) => {
                path.push(ident.to_string());
                self.note(path);
                path.pop();
            }
            syn::UseTree::Glob(_) => self.note(path),
        }
    }
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Ident>().is_ok_and(|condition| condition == "test")
    })
}

impl Visit<'_> for Reader<'_> {
    fn visit_item_mod(&mut self, item: &syn::ItemMod) {
        if !is_test(&item.attrs) {
            self.module.push(item.ident.to_string());
            syn::visit::visit_item_mod(self, item);
            self.module.pop();
        }
    }

    fn visit_item_use(&mut self, item: &syn::ItemUse) {
        self.walk(&item.tree, &mut Vec::new());
    }

    fn visit_path(&mut self, path: &syn::Path) {
        let parts: Vec<_> = path.segments.iter().map(|part| part.ident.to_string()).collect();
        self.note(&parts);
        syn::visit::visit_path(self, path);
    }

    /// A visibility such as `pub(in crate::shard)` names the enclosing module and is not an import.
    fn visit_visibility(&mut self, _: &syn::Visibility) {}
}
