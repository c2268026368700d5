"""What mail clients call the elements that hold a quoted mail or a signature in HTML, as data."""

import re

from helpdesk.inbound.quote_words import words

WRAPPER_CLASSES = frozenset(
    words(
        """
        helpdesk-quote, gmail_quote, gmail_quote_container, gmail_extra, moz-cite-prefix, yahoo_quoted,
        protonmail_quote, zmail_extra, zmail_extra_hr, tutanota_quote, hs_reply, front-blockquote, nylas-quote,
        ms-outlook-mobile-reference-message, airmail_on, clean_bq, freshdesk_quote, mail-quote-collapse, cm_quote
        """
    )
)
WRAPPER_IDS = frozenset(
    words("OLK_SRC_BODY_SECTION, mail-editor-reference-message-container, isReplyContent, reply-intro")
)
WRAPPER_NAMES = frozenset(words("messageReplySection, quote"))
# From these on, everything is the earlier mail.
STARTER_IDS = frozenset(
    words("divRplyFwdMsg, appendonsend, zwchr, stopSpelling, replySplit, originalContent, edo-original")
)
SIGNATURE_CLASSES = frozenset(
    words(
        """
        gmail_signature, moz-signature, ms-outlook-mobile-signature, protonmail_signature_block, yahoo-signature,
        sh-signature, nylas-signature, hs_signature, front-signature
        """
    )
)
SIGNATURE_IDS = frozenset(
    words(
        """
        Signature, AppleMailSignature, ms-outlook-mobile-signature, composer_signature, ymail_android_signature,
        divSignature, bloop_customfont_signature, bm-signature
        """
    )
)
SIGNATURE_NAMES = frozenset(words("messageSignatureSection"))
# Other programs rename what they quote ("x_gmail_quote").
FOREIGN_PREFIX = re.compile(r"(?:x_){1,9}|ydp[0-9a-f]{4,12}|aolmail_|yiv[0-9]{5,12}")
OUTLOOK_BORDER = re.compile(
    r"border:none;border-top:solid #?(?:b5c4df|e1e1e1)|border-top:(?:1px|1pt|1\.0pt) solid #?(?:b5c4df|e1e1e1)"
    r"|border-top:#?(?:b5c4df|e1e1e1) (?:1px|1pt|1\.0pt) solid|border-top:solid #?(?:b5c4df|e1e1e1)"
)
