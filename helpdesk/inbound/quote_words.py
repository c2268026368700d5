"""The words by which mail clients in some twenty languages mark quotations, as data."""

# Words of many alphabets; ruff counts wide letters twice.
# ruff: noqa: RUF001


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


WROTE = _words(
    """
    wrote, writes, written, schrieb, geschrieben, schreibt, écrit, ecrit, escribió, escribio, escrito,
    scritto, scrive, scrisse, escreveu, escreve, schreef, geschreven, napisał, pisze, skrev, skrifaði,
    kirjoitti, kirjoittaa, написал, пишет, писал, пише, написав, написа, napsal, napísal, írta, a scris,
    yazdı, έγραψε, viết, menulis, napisao, napisala, rašė, rakstīja, kirjutas, 写道, 寫道, 写到, のメール,
    書きました, 작성, כתב, كتب, نوشت, เขียน
    """
)
FORWARDED = _words(
    """
    forward, weitergeleitet, transféré, transfere, transferé, reenviad, rinviat, inoltrat, encaminhad,
    doorgestuurd, przekazan, vidarebefordra, videresend, välitet, edelleenlähet, пересыл, перенаправ,
    переслан, přeposl, preposl, továbbít, iletilen, chuyển tiếp, 转发, 轉寄, 转寄, 轉發, 転送, 전달, הועבר, προωθ
    """
)
ORIGINAL = _words(
    """
    original, ursprüngl, origine, oorspronkelijk, oryginal, oprindelig, opprinnelig, alkuperäinen, исходн,
    оригинал, původní, eredeti, özgün, orijinal, gốc, 原始, 原邮件, 原件, 元のメッセージ, 원본, reply message,
    reply separator, antwort, quoted, πρωτότυπο
    """
)
LABELS = {
    "from": _words(
        """
        from, von, de, da, van, od, från, fra, lähettäjä, от, от кого, від, feladó, kimden, gönderen, από, từ,
        发件人, 寄件者, 寄件人, 差出人, 送信者, 보낸 사람, 보낸사람, מאת, expéditeur, remitente, mittente, remetente,
        afzender, nadawca, avsändare, afsender
        """
    ),
    "sent": _words(
        """
        sent, date, gesendet, datum, envoyé, date d'envoi, enviado, enviado el, fecha, data, inviato, enviada em,
        enviado em, verzonden, wysłano, skickat, sendt, dato, lähetetty, päivämäärä, отправлено, дата,
        надіслано, odesláno, odoslané, elküldve, dátum, gönderildi, tarih, στάλθηκε, ημερομηνία, đã gửi, ngày,
        发送时间, 日期, 傳送時間, 寄件日期, 送信日時, 日付, 날짜, 보낸 날짜, תאריך, נשלח
        """
    ),
    "to": _words(
        """
        to, an, à, pour, para, a, aan, do, till, til, vastaanottaja, кому, до, komu, címzett, kime, alıcı, προς,
        đến, 收件人, 收件者, 宛先, 받는 사람, 받는사람, אל, destinataire, destinatario, destinatário
        """
    ),
    "cc": _words(
        """
        cc, bcc, kopie, copie, copia, kopia, kopi, kopio, копия, копія, másolat, bilgi, κοιν., 抄送, 副本, 참조, עותק
        """
    ),
    "subject": _words(
        """
        subject, betreff, objet, asunto, oggetto, assunto, onderwerp, temat, ämne, emne, aihe, тема, předmět,
        predmet, tárgy, konu, θέμα, chủ đề, tiêu đề, 主题, 主旨, 件名, 제목, נושא
        """
    ),
    "other": _words(
        """
        reply-to, antwort an, répondre à, responder a, rispondi a, importance, priority, wichtigkeit,
        attachments, anlagen, anhang
        """
    ),
}
SENT_FROM_DEVICE = _words(
    """
    sent from my, sent from, sent via, sent with, sent using, get outlook for, diese nachricht wurde von mein,
    gesendet von, gesendet mit, gesendet aus, envoyé de, envoyé à partir de, envoyé depuis, envoyé avec,
    enviado desde, enviado de, enviado do, enviado a partir, enviado com, enviado con, obtener outlook para,
    inviato da, inviato con, verzonden vanaf, verzonden met, verzonden via, verstuurd vanaf, skickat från,
    sendt fra, lähetetty, wysłane z, wysłano z, отправлено с, отправлено из, надіслано з, odesláno z,
    发自我的, 發自我的, 从我的, iphoneから送信, ipadから送信, yahoo mail, unterwegs mit, holen sie sich outlook,
    télécharger outlook, sent on the go
    """
)
FIRST_OF_ATTRIBUTION = _words(
    """
    on, am, le, el, il, em, op, den, på, w dniu, dnia, dne, dňa, at, в, a, ons, fre, tor, tir, man, lør, søn,
    mån, tis, lör, sön, ma, ti, ke, to, pe, la, su, pada, vào, στις, mon, tue, wed, thu, fri, sat, sun, mo, di,
    mi, do, fr, sa, so
    """
)
