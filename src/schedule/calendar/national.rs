//! Ready-made calendars of six countries: the days on which banks and offices are shut in the whole country, as the
//! law stands in November 2026. What single states or years have beside them is for a calendar of one's own.

use super::{Calendar, DayOff, Moves};

/// A ready-made calendar.
#[derive(Clone, Copy, Debug)]
pub struct National {
    /// Its name in a configuration.
    pub name: &'static str,
    /// Where its days stand.
    pub source: &'static str,
    days: &'static [(&'static str, &'static str)],
    moves: Moves,
}

/// All there are.
pub const NATIONAL: [National; 6] = [
    National {
        name: "france",
        source: "Code du travail, L3133-1",
        days: &[
            ("Jour de l'an", "01-01"),
            ("Lundi de Pâques", "Easter + 1"),
            ("Fête du Travail", "05-01"),
            ("Victoire 1945", "05-08"),
            ("Ascension", "Easter + 39"),
            ("Lundi de Pentecôte", "Easter + 50"),
            ("Fête nationale", "07-14"),
            ("Assomption", "08-15"),
            ("Toussaint", "11-01"),
            ("Armistice 1918", "11-11"),
            ("Noël", "12-25"),
        ],
        moves: Moves::Stays,
    },
    National {
        name: "germany",
        source: "the holiday laws of all sixteen states, and Einigungsvertrag, art. 2",
        days: &[
            ("Neujahr", "01-01"),
            ("Karfreitag", "Easter - 2"),
            ("Ostermontag", "Easter + 1"),
            ("Tag der Arbeit", "05-01"),
            ("Christi Himmelfahrt", "Easter + 39"),
            ("Pfingstmontag", "Easter + 50"),
            ("Tag der Deutschen Einheit", "10-03"),
            ("1. Weihnachtstag", "12-25"),
            ("2. Weihnachtstag", "12-26"),
        ],
        moves: Moves::Stays,
    },
    National {
        name: "italy",
        source: "Legge 27 maggio 1949, n. 260, as amended, and Legge 151/2025",
        days: &[
            ("Capodanno", "01-01"),
            ("Epifania", "01-06"),
            ("Lunedì dell'Angelo", "Easter + 1"),
            ("Festa della Liberazione", "04-25"),
            ("Festa dei Lavoratori", "05-01"),
            ("Festa della Repubblica", "06-02"),
            ("Assunzione", "08-15"),
            ("San Francesco d'Assisi", "10-04"),
            ("Ognissanti", "11-01"),
            ("Immacolata Concezione", "12-08"),
            ("Natale", "12-25"),
            ("Santo Stefano", "12-26"),
        ],
        moves: Moves::Stays,
    },
    National {
        name: "spain",
        source: "Real Decreto 2001/1983, art. 45, and the days of it that every region keeps",
        days: &[
            ("Año Nuevo", "01-01"),
            ("Epifanía del Señor", "01-06"),
            ("Viernes Santo", "Easter - 2"),
            ("Día del Trabajador", "05-01"),
            ("Asunción de la Virgen", "08-15"),
            ("Fiesta Nacional", "10-12"),
            ("Todos los Santos", "11-01"),
            ("Día de la Constitución", "12-06"),
            ("Inmaculada Concepción", "12-08"),
            ("Navidad", "12-25"),
        ],
        moves: Moves::Stays,
    },
    National {
        name: "uk",
        source: "Banking and Financial Dealings Act 1971, schedule 1, for England and Wales",
        days: &[
            ("New Year's Day", "01-01"),
            ("Good Friday", "Easter - 2"),
            ("Easter Monday", "Easter + 1"),
            ("Early May bank holiday", "first Monday of May"),
            ("Spring bank holiday", "last Monday of May"),
            ("Summer bank holiday", "last Monday of August"),
            ("Christmas Day", "12-25"),
            ("Boxing Day", "12-26"),
        ],
        moves: Moves::Next,
    },
    National {
        name: "us",
        source: "5 U.S.C. 6103: the federal holidays",
        days: &[
            ("New Year's Day", "01-01"),
            ("Birthday of Martin Luther King, Jr.", "third Monday of January"),
            ("Washington's Birthday", "third Monday of February"),
            ("Memorial Day", "last Monday of May"),
            ("Juneteenth", "06-19"),
            ("Independence Day", "07-04"),
            ("Labor Day", "first Monday of September"),
            ("Columbus Day", "second Monday of October"),
            ("Veterans Day", "11-11"),
            ("Thanksgiving Day", "fourth Thursday of November"),
            ("Christmas Day", "12-25"),
        ],
        moves: Moves::Nearest,
    },
];

impl National {
    /// Its days, beside the weekend.
    pub fn days_off(&self) -> Vec<DayOff> {
        let day = |(name, on): &(&str, &str)| {
            let on = on.parse().ok()?;
            Some(DayOff { name: (*name).to_owned(), on, moves: self.moves })
        };
        self.days.iter().filter_map(day).collect()
    }

    /// The calendar.
    pub fn calendar(&self) -> Calendar {
        Calendar { days_off: self.days_off(), ..Calendar::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_every_country_can_be_read() {
        for national in NATIONAL {
            assert_eq!(national.days_off().len(), national.days.len(), "{}", national.name);
        }
    }
}
