"""How the mail programs of many languages stand above what they quote: each is told from the answer."""
# ruff: noqa: RUF001 the words of those languages

import pytest

from helpdesk.inbound.quote_marks import is_device_line
from helpdesk.inbound.quoting import split

A = "Ann Answers <support@example.com>"
QUOTATIONS = {
    "proton": f"Sent with Proton Mail secure email.\n\nOn Monday, November 23rd, 2026 at 9:12 AM, {A} wrote:\n\n> x",
    "proton old": f"Sent with ProtonMail Secure Email.\n\n------- Original Message -------\nOn Monday, November 23rd, 2026 at 9:12 AM, {A} wrote:\n\n\n> x",
    "huawei": "发自我的华为手机\n\n-------- 原始邮件 --------\n发件人： Ann Answers <support@example.com>\n日期： 2026年11月23日周一 09:12\n收件人： ruth@example.org\n主题： Re: x\n你好",
    "groupwise": f">>> {A} 23.11.2026 09:12 >>>\nDear Ruth,\nthe date is corrected.",
    "groupwise2": f">>> On 11/23/2026 at 9:12 AM, in message <ABC@x>, {A}\nwrote:\n> Dear Ruth",
    "emclient": '------ Original Message ------\nFrom "Ann Answers" <support@example.com>\nTo "Ruth" <ruth@example.org>\nDate 23/11/2026 09:12:00\nSubject Re: x\n\n>Dear Ruth',
    "emclient2": '------ Originalnachricht ------\nVon "Ann Answers" <support@example.com>\nAn "Ruth" <ruth@example.org>\nDatum 23.11.2026 09:12:00\nBetreff Re: x\n\nLiebe Ruth',
    "thebat": "Monday, November 23, 2026, 9:12:00 AM, you wrote:\n\n> Dear Ruth",
    "thebat ru": "Вы писали 23 ноября 2026 г., 9:12:00:\n\n> x",
    "kmail": "On Monday, 23 November 2026 09:12:00 CET Ann Answers wrote:\n> Dear Ruth",
    "gnus": f"{A} writes:\n\n> Dear Ruth",
    "tonline": "-----Original-Nachricht-----\nBetreff: Re: x\nDatum: 2026-11-23T09:12:00+0100\nVon: \"Ann\" <support@example.com>\nAn: \"ruth@example.org\" <ruth@example.org>\n\nLiebe Ruth",
    "seznam": "---------- Původní e-mail ----------\nOd: Ann Answers <support@example.com>\nKomu: Ruth <ruth@example.org>\nDatum: 23. 11. 2026 9:12:00\nPředmět: Re: x\n\"\nMilá Ruth\n\"",
    "wp pl": f"Dnia 23 listopada 2026 09:12 {A} napisał(a):\n\nDroga Ruth",
    "onet": f"W dniu 2026-11-23 09:12:00 użytkownik {A} napisał:\n\n> Droga Ruth",
    "libero": f"Da: {A}\nA: ruth@example.org\nCc: \nData: Mon, 23 Nov 2026 09:12:00 +0100\nOggetto: Re: x\n\nCara Ruth",
    "orange": '> Message du 23/11/26 09:12\n> De : "Ann Answers" <support@example.com>\n> A : ruth@example.org\n> Copie à : \n> Objet : Re: x\n> \n> Chère Ruth',
    "mail original": '----- Mail original -----\nDe: "Ann" <support@example.com>\nÀ: "ruth" <ruth@example.org>\nEnvoyé: Lundi 23 Novembre 2026 09:12:00\nObjet: Re: x\n\nChère Ruth',
    "uol": "Em 23/11/2026 09:12, Ann Answers escreveu:\n> Cara Ruth",
    "iphone pt": f"No dia 23/11/2026, às 09:12, {A} escreveu:\n\n> Cara Ruth",
    "iphone ptbr": f"> Em 23 de nov. de 2026, à(s) 09:12, {A} escreveu:\n> \n> Cara Ruth",
    "iphone sv": f"23 nov. 2026 kl. 09:12 skrev {A}:\n\n> Kära Ruth",
    "iphone fi": f"{A} kirjoitti 23.11.2026 kello 9.12:\n\n> Hyvä Ruth",
    "iphone da": f"> Den 23. nov. 2026 kl. 09.12 skrev {A}:\n> \n> Kære",
    "iphone nl": f"> Op 23 nov 2026 om 09:12 heeft {A} het volgende geschreven:\n> \n> Beste",
    "iphone it": f"> Il giorno 23 nov 2026, alle ore 09:12, {A} ha scritto:\n> \n> Cara",
    "iphone pl": f"> Wiadomość napisana przez {A} w dniu 23.11.2026, o godz. 09:12:\n> \n> Droga",
    "iphone es": f"> El 23 nov 2026, a las 9:12, {A} escribió:\n> \n> Querida",
    "iphone ru": f"> 23 нояб. 2026 г., в 09:12, {A} написал(а):\n> \n> Рут",
    "iphone tr": f"> {A} şunları yazdı (23 Kas 2026 09:12):\n> \n> Merhaba",
    "iphone ko": f"2026. 11. 23. 오전 9:12, {A} 작성:\n\n> x",
    "gmail et": "Kuupäev E, 23. november 2026 kell 09:12 kirjutas Ann Answers (<\nsupport@example.com>):\n\n> Hea Ruth",
    "gmail lt": f"2026-11-23, pr, 09:12 {A} rašė:\n\n> x",
    "gmail lv": "pirmd., 2026. g. 23. nov., plkst. 09:12 — lietotājs Ann Answers (<\nsupport@example.com>) rakstīja:\n\n> x",
    "gmail sl": f"V V pon., 23. nov. 2026 ob 09:12 je oseba {A}\nnapisala:\n\n> x",
    "gmail hr": f"pon, 23. stu 2026. u 09:12 {A} napisao\nje:\n\n> x",
    "gmail sr": f"пон, 23. нов 2026. у 09:12 {A} је\nнаписао/ла:\n\n> x",
    "gmail fa": f"در تاریخ دوشنبه ۲۳ نوامبر ۲۰۲۶،\u200f ۹:۱۲ {A} نوشت:\n\n> x",
    "gmail hi": f"सोम, 23 नव॰ 2026 को 9:12 am बजे को {A}\nने लिखा:\n\n> x",
    "gmail bn": f"সোম, ২৩ নভেম্বর, ২০২৬ তারিখে ৯:১২ AM টায় তারিখে {A}\nলিখেছেন:\n\n> x",
    "gmail ta": f"திங்., 23 நவ., 2026, முற்பகல் 9:12 அன்று, {A} எழுதியது:\n\n> x",
    "gmail ms": f"Pada Isn, 23 Nov 2026 9:12 PG {A} menulis:\n\n> x",
    "gmail fil": f"Noong Lun, Nob 23, 2026 nang 9:12 AM, sinulat ni {A} :\n\n> x",
    "gmail sk": f"po 23. 11. 2026 o 9:12 {A} napísal(a):\n\n> x",
    "gmail hu": f"{A} ezt írta (időpont: 2026. nov. 23., H,\n9:12):\n\n> x",
    "gmail cs": f"po 23. 11. 2026 v 9:12 odesílatel {A}\nnapsal:\n\n> x",
    "gmail he": "\u202bבתאריך יום ב׳, 23 בנוב׳ 2026 ב-9:12 מאת \u202aAnn Answers\u202c\u200f <\u202asupport@example.com\u202c\u200f>:\u202c\n\n> x",
    "gmail af": f"Op Ma. 23 Nov. 2026 om 09:12 het {A} geskryf:\n\n> x",
    "gmail sw": f"Mnamo Jtt, 23 Nov 2026 saa 9:12 {A} aliandika:\n\n> x",
    "gmail eu": "Ann Answers (<support@example.com>) erabiltzaileak hau idatzi du\n(2026 aza. 23, al., 09:12):\n\n> x",
    "gmail gl": f"O lun, 23 nov 2026 ás 9:12, {A} escribiu:\n\n> x",
    "gmail ka": f"ორშ, 23 ნოე, 2026, 9:12 მომხმარებელმა {A} დაწერა:\n\n> x",
    "gmail kk": f"дс, 23 қар. 2026 ж. 9:12 {A} жазды:\n\n> x",
    "outlook et": "Saatja: Ann Answers <support@example.com>\nSaadetud: esmaspäev, 23. november 2026 09:12\nAdressaat: Ruth <ruth@example.org>\nTeema: Re: x\n\nHea Ruth",
    "outlook lv": "No: Ann Answers <support@example.com>\nNosūtīts: pirmdiena, 2026. gada 23. novembris 09:12\nKam: Ruth <ruth@example.org>\nTēma: Re: x\n\nLabdien",
    "outlook lt": "Nuo: Ann Answers <support@example.com>\nIšsiųsta: 2026 m. lapkričio 23 d., pirmadienis 09:12\nKam: Ruth <ruth@example.org>\nTema: Re: x\n\nLabas",
    "outlook hr": "Od: Ann Answers <support@example.com>\nPoslano: 23. studenog 2026. 9:12\nPrima: Ruth <ruth@example.org>\nPredmet: Re: x\n\nDraga",
    "outlook sr": "Od: Ann Answers <support@example.com>\nPoslato: ponedeljak, 23. novembar 2026. 09:12\nZa: Ruth <ruth@example.org>\nTema: Re: x\n\nDraga",
    "outlook el": "Από: Ann Answers <support@example.com>\nΣτάλθηκε: Δευτέρα, 23 Νοεμβρίου 2026 9:12 πμ\nΠρος: Ruth <ruth@example.org>\nΘέμα: Re: x\n\nΑγαπητή",
    "outlook bg": "От: Ann Answers <support@example.com>\nИзпратено: понеделник, 23 ноември 2026 г. 9:12\nДо: Ruth <ruth@example.org>\nОтносно: Re: x\n\nЗдравей",
    "outlook uk": "Від: Ann Answers <support@example.com>\nНадіслано: 23 листопада 2026 р. 9:12\nКому: Ruth <ruth@example.org>\nТема: Re: x\n\nДоброго",
    "outlook hu": "Feladó: Ann Answers <support@example.com>\nElküldve: 2026. november 23., hétfő 9:12\nCímzett: Ruth <ruth@example.org>\nTárgy: Re: x\n\nKedves",
    "outlook cs": "Od: Ann Answers <support@example.com>\nOdesláno: pondělí 23. listopadu 2026 9:12\nKomu: Ruth <ruth@example.org>\nPředmět: Re: x\n\nMilá",
    "outlook ro": "De la: Ann Answers <support@example.com>\nTrimis: luni, 23 noiembrie 2026 09:12\nCătre: Ruth <ruth@example.org>\nSubiect: Re: x\n\nDragă",
    "outlook pt": "De: Ann Answers <support@example.com>\nEnviada em: segunda-feira, 23 de novembro de 2026 09:12\nPara: Ruth <ruth@example.org>\nAssunto: Re: x\n\nCara",
    "outlook fi": "Lähettäjä: Ann Answers <support@example.com>\nLähetetty: maanantai 23. marraskuuta 2026 9.12\nVastaanottaja: Ruth <ruth@example.org>\nAihe: Re: x\n\nHyvä",
    "outlook th": "จาก: Ann Answers <support@example.com>\nส่ง: วันจันทร์ที่ 23 พฤศจิกายน 2026 9:12\nถึง: Ruth <ruth@example.org>\nเรื่อง: Re: x\n\nเรียน",
    "outlook vi": "Từ: Ann Answers <support@example.com>\nĐã gửi: Thứ Hai, 23 Tháng Mười Một 2026 9:12\nTới: Ruth <ruth@example.org>\nChủ đề: Re: x\n\nChào",
    "outlook he": "מאת: Ann Answers <support@example.com>\nנשלח: יום שני 23 נובמבר 2026 09:12\nאל: Ruth <ruth@example.org>\nנושא: Re: x\n\nשלום",
    "outlook ja": "差出人: Ann Answers <support@example.com>\n送信日時: 2026年11月23日 9:12\n宛先: Ruth <ruth@example.org>\n件名: Re: x\n\nRuth 様",
    "outlook zh": "发件人: Ann Answers <support@example.com>\n发送时间: 2026年11月23日 9:12\n收件人: Ruth <ruth@example.org>\n主题: Re: x\n\n您好",
    "outlook id": "Dari: Ann Answers <support@example.com>\nDikirim: Senin, 23 November 2026 9:12\nKepada: Ruth <ruth@example.org>\nSubjek: Re: x\n\nHalo",
    "outlook sk": "Od: Ann Answers <support@example.com>\nOdoslané: pondelok 23. novembra 2026 9:12\nKomu: Ruth <ruth@example.org>\nPredmet: Re: x\n\nMilá",
    "outlook sl": "Od: Ann Answers <support@example.com>\nPoslano: ponedeljek, 23. november 2026 09:12\nZa: Ruth <ruth@example.org>\nZadeva: Re: x\n\nDraga",
    "outlook fa": "از: Ann Answers <support@example.com>\nارسال شده: دوشنبه 23 نوامبر 2026 09:12\nبه: Ruth <ruth@example.org>\nموضوع: Re: x\n\nسلام",
    "outlook da": "Fra: Ann Answers <support@example.com>\nSendt: 23. november 2026 09:12\nTil: Ruth <ruth@example.org>\nEmne: Re: x\n\nKære",
    "bold star": "*From:* Ann Answers <support@example.com>\n*Sent:* Monday, November 23, 2026 9:12 AM\n*To:* Ruth <ruth@example.org>\n*Subject:* Re: x\n\nDear",
    "date first apple": "Begin quoted message:\n\nDate: 23 Nov 2026 09:12\nFrom: Ann <support@example.com>\nTo: Ruth\nSubject: Re: x\n\nDear",
    "wechat": "------------------ 原始邮件 ------------------\n发件人: \"Ann\" <support@example.com>;\n发送时间: 2026年11月23日(星期一) 上午9:12\n收件人: \"Ruth\"<ruth@example.org>;\n主题: Re: x\n\n您好",
    "netease": "在 2026-11-23 09:12:00，\"Ann Answers\" <support@example.com> 写道：\n\n您好",
    "netease in English": "At 2026-11-23 09:12:00, \"Ann Answers\" <support@example.com> wrote:\n\nHello",
    "thunder ja": "On 2026/11/23 9:12, Ann Answers wrote:\n> x",
    "becky": "On Mon, 23 Nov 2026 09:12:00 +0900\nAnn Answers <support@example.com> wrote:\n\n> x",
    "docomo": "----- Original Message -----\nFrom: \"Ann\" <support@example.com>\nTo: <ruth@example.org>\nSent: Monday, November 23, 2026 9:12 AM\nSubject: Re: x\n\n> x",
    "yahoo jp": "----- Original Message -----\n> From: Ann <support@example.com>\n> To: ruth@example.org\n> Date: 2026/11/23, Mon 09:12\n> Subject: Re: x\n> \n> Hi",
    "gmail ja": f"2026年11月23日(月) 9:12 {A}:\n\n> x",
    "gmail ko": f"2026년 11월 23일 (월) 오전 9:12, {A}님이 작성:\n\n> x",
    "gmail zh": f"{A} 于2026年11月23日周一 09:12写道：\n\n> x",
    "gmail zh tw": f"{A} 於 2026年11月23日 週一 上午9:12寫道：\n\n> x",
    "gmail old": f"2026-11-23 9:12 GMT+01:00 {A}:\n\n> x",
    "mailmate": "On 23 Nov 2026, at 9:12, Ann Answers wrote:\n\n> x",
    "k9 en": f"On 23 November 2026 09:12:00 CET, {A} wrote:\n>x",
    "bluemail": f"Get BlueMail for Android\nOn 23 Nov 2026, at 09:12, {A} wrote:\nDear Ruth",
    "aqua": f"Sent with AquaMail for Android\nhttps://www.mobisystems.com/aqua-mail\n\n\nOn 23 November 2026 09:12:00 {A} wrote:\n\n> x",
    "boxer": f"Sent from Workspace ONE Boxer\n\nOn 23 November 2026 at 09:12:00 CET, {A} wrote:\nDear Ruth",
    "nine": f"Sent from Nine\n________________________________\nFrom: {A}\nSent: Monday, 23 November 2026 09:12\nTo: Ruth\nSubject: Re: x\n\nDear",
    "edison": f"Sent from Edison Mail\n\nOn 23 Nov 2026, 09:12 +0100, {A}, wrote:\n> x",
    "missive": f"On November 23, 2026 at 9:12 AM GMT+1 {A} wrote:\n\nDear Ruth",
    "front": "On November 23, 2026, 9:12 AM GMT+1 support@example.com wrote:\n\n\n> Dear Ruth",
    "hubspot": "On Mon, Nov 23, 2026 at 9:12 AM, Ann Answers <support@example.com>, wrote:\n\nDear Ruth",
    "hey": "On November 23, 2026, Ann Answers <support@example.com> wrote:\n> x",
    "xing": "Am Mo., 23. Nov. 2026 um 09:12 Uhr schrieb Ann Answers <\nsupport@example.com>:\n\n> x",
    "ger outl ohne": "Von: Ann Answers\nGesendet: Montag, 23. November 2026 09:12\nAn: Ruth\nBetreff: Re: x\n\nLiebe",
    "mobile vf": "-------- Ursprüngliche Nachricht --------\nVon: Ann <support@example.com>\nDatum: 23.11.26 09:12 (GMT+01:00)\nAn: ruth@example.org\nBetreff: Re: x\n\nLiebe",
    "fr iphone": f"Envoyé de mon iPhone\n\n> Le 23 nov. 2026 à 09:12, {A} a écrit :\n> \n> x",
    "fr tb": "Le 23/11/2026 à 09:12, Ann Answers a écrit :\n> x",
    "fr unprefixed": f"Le lun. 23 nov. 2026 à 09:12, {A} a écrit :\n\nChère Ruth",
    "es unprefixed": "El lun, 23 nov 2026 a las 9:12, Ann Answers (<support@example.com>)\nescribió:\n\nQuerida",
    "ru mailru": f"Понедельник, 23 ноября 2026, 9:12 +03:00 от {A}:\n\nРут",
    "ru yandex": "23.11.2026, 09:12, \"Ann Answers\" <support@example.com>:\n\nРут",
    "ru rambler": f"23.11.2026, 9:12 {A}\n\n> x",
    "ua ukrnet": "--- Оригінальне повідомлення ---\nВід кого: \"Ann\" <support@example.com>\nДата: 23 листопада 2026, 09:12:00\n\nРут",
}  # fmt: skip
DEVICES = """
Gesendet mit der GMX Mail App
Von meinem Samsung Galaxy Smartphone gesendet.
Von meinem/meiner Galaxy gesendet
Envoyé depuis mon téléphone
Envoyé de mon iPad
Envoyé avec Proton Mail
Enviado desde mi iPhone
Enviado desde mi smartphone Samsung Galaxy.
Enviado do meu iPhone
Enviado a partir do meu smartphone Samsung Galaxy.
Odesláno z iPhonu
Odesláno ze zařízení Galaxy
Inviato da iPhone
Inviato dal mio Galaxy
Skickat från min iPhone
Sendt fra min iPhone
Sendt fra min Galaxy
Lähetetty iPhonesta
Wysłane z iPhone'a
Wysłane z mojego iPhone'a
Отправлено с iPhone
Отправлено из Почты Mail.ru
Отправлено из мобильной Почты Mail
Відправлено з iPhone
Надіслано з пристрою Galaxy
iPhone'umdan gönderildi
Galaxy cihazımdan gönderildi
Στάλθηκε από το iPhone μου
Trimis de pe iPhone-ul meu
Trimis de pe telefonul meu Galaxy
傳送自我的 iPhone
從我的 Galaxy 傳送
내 Galaxy에서 보냈습니다.
나의 iPhone에서 보냄
Geschreven op mijn telefoon
Verzonden vanaf mijn iPhone
Verzonden vanaf Outlook voor Android
Sendt fra Outlook til Android
Hent Outlook til Android
Skaffa Outlook för iOS
Pobierz aplikację Outlook dla systemu iOS
Descargar Outlook para Android
Hämta Outlook för Android
Få Outlook for Android
下载 Outlook for iOS
获取 Outlook for Android
取得 Android 版 Outlook
Outlook for Android を入手
Android 版 Outlook を入手
Получить Outlook для Android
Завантажте Outlook для Android
Nabavite Outlook za Android
Android için Outlook’u edinin
Λήψη του Outlook για Android
Sent from my Android device with K-9 Mail. Please excuse my brevity.
Diese Nachricht wurde von meinem Android-Gerät mit K-9 Mail gesendet.
Sent from Gmail Mobile
Sent from Yahoo Mail for iPhone
Sent from Mail for Windows
Gesendet von Mail für Windows
Envoyé à partir de Courrier pour Windows
Poslano z mojega iPhona
Poslano s iPhonea
Poslato sa mog iPhone-a
Изпратено от моя iPhone
Saadetud minu iPhone'ist
Išsiųsta iš mano iPhone
Nosūtīts no mana iPhone
Küldve az iPhone-omról
Elküldve a Galaxy készülékemről
Đã gửi từ iPhone của tôi
Dikirim dari iPhone saya
ส่งจาก iPhone ของฉัน
שלחתי מ-iPhone שלי
נשלח מה-iPhone שלי
मेरे iPhone से भेजा गया
Enviat des de l'iPhone
Bidalita nire iPhonetik
Sent from my BlackBerry - the most secure mobile device
Sent from Samsung tablet.
Sent from Superhuman
Sent with Spark
Sent via the Samsung Galaxy S24, an AT&T 5G smartphone
"""


@pytest.mark.parametrize("name", QUOTATIONS)
def test_what_an_answer_quotes_is_no_part_of_it(name: str):
    text = f"Yes.\n\n{QUOTATIONS[name]}"
    spans = split(text, None)
    assert (spans.new, spans.quoted[-1:]) == ("Yes.", text[-1])


@pytest.mark.parametrize("line", DEVICES.strip().split("\n"))
def test_the_line_of_a_telephone_is_a_signature(line: str):
    assert split(f"Yes.\n\n{line}", None).signature == line


@pytest.mark.parametrize(
    "line",
    [
        "With Outlook it works, and on Android it does not.",
        "I sent from there what you wanted.",
        "My Outlook for iOS is new.",
    ],
)
def test_a_sentence_about_a_telephone_is_none(line: str):
    assert not is_device_line(line)


def test_an_attribution_that_was_broken_takes_no_line_of_the_answer():
    text = "Write to me at ruth@example.org.\nOn 23 Nov 2026 at 09:12, Ann wrote:\n> Where?"
    assert split(text, None).new == "Write to me at ruth@example.org."


def test_an_attribution_within_a_quotation_stays_there():
    text = "Yes.\n\n> On Mon, Nov 23, 2026 at 9:12 AM Ruth <ruth@example.org> wrote:\n>> Is it?\n> It is."
    assert split(text, None).quoted == text.partition("\n\n")[2]
