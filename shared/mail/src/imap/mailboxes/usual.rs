//! Names that mailboxes with a purpose usually have, as other clients and servers have made them in
//! their people's languages.

use postern_bridge::Role;

/// What mailboxes are for by their names, in lower case; the most usual first.
pub(super) const NAMES: [(Role, &[&str]); 5] = [
    (Role::Drafts, DRAFTS),
    (Role::Sent, SENT),
    (Role::Archive, ARCHIVE),
    (Role::Junk, JUNK),
    (Role::Trash, TRASH),
];

#[rustfmt::skip]
const DRAFTS: &[&str] = &[
    "drafts", "draft",
    "entwürfe", "entwurf",
    "brouillons",
    "borradores",
    "bozze",
    "rascunhos",
    "concepten",
    "utkast", "kladder",
    "luonnokset",
    "kopie robocze", "wersje robocze", "szkice",
    "koncepty", "rozepsané",
    "piszkozatok",
    "ciorne",
    "taslaklar",
    "черновики", "чернетки",
    "πρόχειρα",
    "下書き", "草稿", "草稿箱", "草稿匣", "임시보관함", "임시 보관함",
];

#[rustfmt::skip]
const SENT: &[&str] = &[
    "sent", "sent messages", "sent items", "sent mail", "sent-mail",
    "gesendet", "gesendete elemente", "gesendete objekte", "gesendete nachrichten",
    "envoyés", "messages envoyés", "éléments envoyés", "objets envoyés",
    "enviados", "elementos enviados", "mensajes enviados",
    "inviata", "posta inviata", "inviati", "elementi inviati",
    "enviadas", "itens enviados", "mensagens enviadas",
    "verzonden", "verzonden items", "verzonden objecten",
    "skickat", "skickade", "skickade objekt", "skickade meddelanden",
    "sendt", "sendt post", "sendte elementer",
    "lähetetyt",
    "wysłane", "elementy wysłane",
    "odeslané", "odeslaná pošta",
    "elküldött", "elküldött elemek",
    "trimise", "elemente trimise",
    "gönderilmiş öğeler", "gönderilenler",
    "отправленные", "надіслані", "відправлені",
    "απεσταλμένα",
    "送信済み", "送信済みアイテム", "已发送", "已发送邮件", "已傳送", "寄件備份",
    "보낸편지함", "보낸 편지함",
];

#[rustfmt::skip]
const ARCHIVE: &[&str] = &[
    "archive", "archives",
    "archiv",
    "archivo", "archivados",
    "archivio",
    "arquivo",
    "archief",
    "arkiv",
    "arkisto",
    "archiwum",
    "archívum",
    "arhivă",
    "arşiv",
    "архив", "архів",
    "αρχείο",
    "アーカイブ", "归档", "存档", "封存", "보관함",
];

#[rustfmt::skip]
const JUNK: &[&str] = &[
    "junk", "spam", "junk e-mail", "junk email", "bulk mail",
    "junk-e-mail", "spamverdacht", "unerwünscht",
    "indésirables", "courrier indésirable",
    "correo no deseado", "no deseado",
    "posta indesiderata", "indesiderata",
    "lixo eletrônico", "lixo eletrónico",
    "ongewenst", "ongewenste e-mail",
    "skräppost", "uønsket mail", "uønsket post", "søppelpost",
    "roskaposti",
    "wiadomości-śmieci",
    "nevyžádané", "nevyžádaná pošta",
    "levélszemét",
    "gereksiz", "önemsiz e-posta",
    "спам", "нежелательная почта",
    "ανεπιθύμητα",
    "迷惑メール", "垃圾邮件", "垃圾郵件", "스팸", "스팸함", "정크 메일",
];

#[rustfmt::skip]
const TRASH: &[&str] = &[
    "trash", "deleted items", "deleted messages", "deleted", "bin",
    "papierkorb", "gelöscht", "gelöschte elemente", "gelöschte objekte",
    "corbeille", "éléments supprimés", "messages supprimés",
    "papelera", "elementos eliminados",
    "cestino", "posta eliminata",
    "lixeira", "lixo", "itens excluídos", "itens eliminados",
    "prullenbak", "prullenmand", "verwijderde items",
    "papperskorgen", "borttaget", "borttagna objekt", "papirkurv", "slettet post",
    "slettede elementer",
    "roskakori", "poistetut",
    "kosz", "elementy usunięte",
    "koš", "odstraněná pošta",
    "kuka", "lomtár", "törölt elemek",
    "coș de gunoi", "elemente șterse",
    "çöp", "silinmiş öğeler",
    "корзина", "удаленные", "удалённые", "кошик", "видалені",
    "κάδος", "διαγραμμένα",
    "ゴミ箱", "削除済みアイテム", "已删除", "已删除邮件", "废纸篓", "垃圾桶", "刪除的郵件",
    "휴지통", "지운편지함",
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_name_is_in_lower_case_and_says_one_thing() {
        let all: Vec<&str> = NAMES.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        assert!(all.iter().all(|name| name.to_lowercase() == *name), "{all:?}");
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
    }
}
