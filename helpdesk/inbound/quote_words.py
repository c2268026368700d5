"""The words by which mail clients in some twenty languages mark quotations, as data."""

# Words of many alphabets; ruff counts wide letters twice.
# ruff: noqa: RUF001


def words(text: str) -> tuple[str, ...]:
    """The words of a text that parts them by commas."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


WROTE = words(
    """
    wrote, writes, written, schrieb, geschrieben, schreibt, écrit, ecrit, écrivait, escribió, escribio,
    escrito, scritto, scrive, scrisse, escreveu, escreve, schreef, geschreven, schreef op, napisał, pisze,
    skrev, skrifaði, kirjoitti, kirjoittaa, написал, пишет, писал, пише, написав, написа, напиша, napsal,
    napísal, písal, írta, ezt írta, a scris, yazdı, şunları yazdı, έγραψε, viết, menulis, napisao, napisala,
    je napisao, rašė, parašė, rakstīja, kirjutas, va escriure, ha escrit, je napisal, 写道, 寫道, 写到,
    のメール, 書きました, 書いた, からのメール, 작성, 님이 쓴, כתב, كتب, نوشت, เขียน, έγραψαν
    """
)
FORWARDED = words(
    """
    forward, weitergeleitet, weiterleitung, transféré, transfere, transferé, réexpédié, reenviad, rinviat,
    inoltrat, inoltro, encaminhad, reencaminhad, doorgestuurd, doorgezonden, przekazan, przesłan,
    vidarebefordra, videresend, videresendt, välitet, edelleenlähet, пересыл, пересланн, перенаправ, переслан,
    препрат, přeposl, preposl, předáv, továbbít, iletilen, iletil, redirecțion, proslijeđ, posredovan,
    chuyển tiếp, diteruskan, reenviat, 转发, 轉寄, 转寄, 轉發, 転送, 전달, הועבר, מועבר, προωθ, توجيه, ส่งต่อ
    """
)
ORIGINAL = words(
    """
    original, ursprüngl, origine, oorspronkelijk, oryginal, oprindelig, opprinnelig, ursprungligt,
    alkuperäinen, исходн, оригинал, оригінальн, початков, původní, pôvodná, eredeti, özgün, orijinal, izvorna, izvirno,
    algne, gốc, 原始, 原邮件, 原件, 原郵件, 元のメッセージ, 元のメール, 원본, 원래, reply message,
    reply separator, antwort, quoted, πρωτότυπο, asli, הודעה מקורית, الأصلية
    """
)
LABELS = {
    "from": words(
        """
        from, von, de, da, van, od, från, fra, lähettäjä, от, от кого, від, від кого, feladó, kimden, gönderen,
        από, từ, dari, de la, frá, saatja, nuo, 发件人, 發件人, 寄件者, 寄件人, 送件者, 差出人, 送信者,
        보낸 사람, 보낸사람, 보내는 사람, מאת, من, จาก, expéditeur, remitente, mittente, remetente, afzender,
        nadawca, avsändare, afsender, absender, odesílatel, odosielateľ, отправитель, відправник, no, از
        """
    ),
    "sent": words(
        """
        sent, sent on, sent at, date, gesendet, gesendet am, datum, envoyé, envoyé le, date d'envoi, enviado,
        enviado el, fecha, data, inviato, inviata, enviada em, enviado em, enviada, verzonden, wysłano,
        wysłane, skickat, sendt, dato, lähetetty, päivämäärä, päiväys, отправлено, отправлен, дата, надіслано,
        изпратено, odesláno, odoslané, elküldve, küldve, dátum, gönderildi, gönderme tarihi, tarih, στάλθηκε,
        ημερομηνία, đã gửi, ngày, dikirim, tanggal, trimis, poslano, poslané, odoslaná, saadetud, nosūtīts,
        išsiųsta, enviat, poslato, ارسال شده, 发送时间, 发送日期, 日期, 时间, 時間, 傳送時間, 寄件日期, 發送時間,
        送信日時, 日付, 日時, 보낸 시간, 날짜, 보낸 날짜, 보낸날짜, תאריך, נשלח, تاريخ الإرسال, التاريخ, วันที่
        """
    ),
    "to": words(
        """
        to, an, à, pour, para, a, aan, do, till, til, vastaanottaja, кому, до, komu, címzett, kime, alıcı,
        προς, đến, tới, kepada, către, per a, prima, kam, 收件人, 收件者, 宛先, 受信者, 받는 사람, 받는사람,
        수신, אל, إلى, ถึง, za, به, destinataire, destinatario, destinatário, empfänger, ontvanger, adressaat
        """
    ),
    "cc": words(
        """
        cc, bcc, kopie, copie, copia, kopia, kopi, kopio, копия, копія, másolat, másolatot kap, bilgi, κοιν.,
        kopija, 抄送, 副本, 참조, עותק, نسخة, tembusan, skrytá kopie
        """
    ),
    "subject": words(
        """
        subject, betreff, betr, objet, asunto, oggetto, assunto, onderwerp, temat, ämne, emne, aihe, тема,
        относно, předmět, predmet, tárgy, konu, θέμα, chủ đề, tiêu đề, subiect, perihal, subjek, zadeva, teema,
        tēma, tema, assumpte, efni, 主题, 主題, 主旨, 件名, 제목, נושא, الموضوع, موضوع, เรื่อง, sujet
        """
    ),
    "other": words(
        """
        reply-to, reply to, antwort an, répondre à, responder a, rispondi a, importance, priority, wichtigkeit,
        priorität, attachments, attachment, anlagen, anhang, pièces jointes, datos adjuntos, allegati, anexos,
        bijlagen, resent-from, newsgroups, message-id, mailed-by, organization, cc to, bcc to
        """
    ),
}
SENT_FROM_DEVICE = words(
    """
    sent from my, sent from, sent via, sent with, sent using, sent by, get outlook for, get bluemail for,
    diese nachricht wurde von mein, von meinem, von meiner, gesendet von, gesendet mit, gesendet aus,
    gesendet über, gesendet per, envoyé de, envoyé à partir de, envoyé depuis, envoyé avec, envoyé d,
    envoyé par, enviado desde, enviado de, enviado do, enviado a partir, enviado com, enviado con,
    enviado mediante, enviado pelo, obtener outlook para, obter o outlook para, inviato da, inviato dal,
    inviato con, ottieni outlook per, verzonden vanaf, verzonden met, verzonden via, verstuurd vanaf,
    outlook voor, skickat från, skickades från, sendt fra, sendt via, lähetetty, wysłane z, wysłano z,
    wysłane przez, pobierz program outlook, отправлено с, отправлено из, отправлено через, надіслано з,
    відправлено з, odesláno z, odoslané z, elküldve az, küldve, iphone'umdan, ipad'imden,
    android uygulamasından, gửi từ, đã gửi từ, dikirim dari, trimis de pe, poslano s, poslano iz, 发自我的,
    發自我的, 从我的, 从 windows 版邮件, 发自我的iphone, 来自, iphoneから送信, ipadから送信, androidから送信,
    나의 iphone에서 보냄, 내 iphone에서 보냄, نُشر من, أُرسل من, נשלח מה, yahoo mail, unterwegs mit,
    holen sie sich outlook, laden sie outlook, télécharger outlook, obtenez outlook, obtenir outlook,
    scarica outlook, hanki outlook, outlook für, outlook para, outlook pour, iphone’umdan, ipad’imden, 從我的,
    στάλθηκε από, أُرسلت من, تم الإرسال من, ส่งจาก, enviat des, wysłano za pomocą, wysłane za pomocą,
    sent on the go, this message was sent from my, composed on, typed on my, mobile mail by, 傳送自我的,
    geschreven op mijn, getypt op mijn, hent outlook, skaffa outlook, hämta outlook, få outlook, descargar outlook,
    obter outlook, pobierz aplikację outlook, 下载 outlook, 获取 outlook, 取得 outlook, 取得 android 版 outlook,
    取得 ios 版 outlook, получить outlook, скачать outlook, завантажте outlook, nabavite outlook, λήψη του outlook,
    stáhnout outlook, získejte outlook, poslano z moj, poslato sa mog, изпратено от моя, saadetud minu,
    išsiųsta iš mano, nosūtīts no mana, elküldve a galaxy, שלחתי מ, من الـ iphone, ارسال شده از iphone, bidalita nire
    """
)
SENT_FROM_DEVICE_ENDS = words(
    """
    cihazımdan gönderildi, telefonumdan gönderildi, 에서 보냄, 에서 보냈습니다, 版 outlook を入手,
    outlook for android を入手, outlook for ios を入手, outlook’u edinin, outlook'u edinin, iphone से भेजा गया
    """
)
FIRST_OF_ATTRIBUTION = words(
    """
    on, am, le, el, il, em, op, den, på, w dniu, dnia, dne, dňa, at, в, a, ons, fre, tor, tir, man, lør, søn,
    mån, tis, lör, sön, ma, ti, ke, to, pe, la, su, pada, vào, στις, mon, tue, wed, thu, fri, sat, sun, mo, di,
    mi, do, fr, sa, so, pt., pon., wt., śr., czw., sob., niedz., пн, вт, ср, чт, пт, сб, вс, dom, lun, mar,
    mer, mié, jue, vie, sáb, gio, ven, sab, lundi, mardi, mercredi, jeudi, vendredi, samedi, dimanche, vào lúc,
    pt, paz, pzt, sal, çar, per, cum, cmt, în, dana
    """
)
CLOSINGS = words(
    """
    regards, best regards, kind regards, best, best wishes, cheers, thanks, many thanks, thank you, sincerely,
    yours, grüße, viele grüße, mit freundlichen grüßen, liebe grüße, beste grüße, gruß, mfg, lg, vg,
    cordialement, salutations, bien à vous, merci, saludos, un saludo, atentamente, gracias, cordiali saluti,
    distinti saluti, saluti, grazie, atenciosamente, cumprimentos, obrigado, abraços, groeten,
    met vriendelijke groet, mvg, pozdrawiam, z poważaniem, hilsen, mvh, med venlig hilsen, med vänlig hälsning,
    hälsningar, vennlig hilsen, terveisin, ystävällisin terveisin, с уважением, спасибо, з повагою,
    s pozdravem, s pozdravom, üdvözlettel, saygılarımla, με εκτίμηση, trân trọng
    """
)
FORWARD_PREFIXES = words(
    """
    fw, fwd, fwd., wg, tr, rv, enc, i, vs, vb, vl, pd, doorst, továbbítás, tov, ilt, yml, přeposlat, fs, p.d,
    rif, fyi, 転送, 转发, 轉寄, 转寄, 轉發, 전달, пересл, переслано, הועבר, προώθ, préf
    """
)
REPLY_ABOVE = words(
    """
    reply above, reply below, type your reply, write above, above this line, oberhalb dieser zeile,
    über dieser zeile, au-dessus de cette ligne, por encima de esta línea, sopra questa riga,
    acima desta linha, boven deze regel, powyżej tej linii, выше этой строки, ovanför denna rad,
    over denne linje, tämän rivin yläpuolelle, 在此行上方, この行より上
    """
)
