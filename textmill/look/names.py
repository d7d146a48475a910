"""Common column names, in several languages."""

import re
import unicodedata


def plain(word: str) -> str:
    """Returns a word in lower case, without accents."""
    decomposed = unicodedata.normalize("NFKD", word.casefold())
    return unicodedata.normalize("NFC", "".join(c for c in decomposed if not unicodedata.combining(c)))


def _known(words: str) -> frozenset[str]:
    return frozenset(map(plain, words.split()))


PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\da-zA-Z_]+|\d+")

TEXT = _known("""
text texts review reviews comment comments message messages sms tweet tweets body content contents sentence sentences
document documents doc utterance post description article abstract transcript narrative paragraph statement feedback
email mail question query phrase answer response complaint note notes news story lyrics plot dialogue txt data raw code
texto textos comentario comentarios mensaje mensajes opinion opiniones resena resenas reseña frase oracion cuerpo
contenido descripcion pregunta reclamo queja consulta noticia avis commentaire commentaires texte textes message phrase
contenu corps description critique question testo testi commento commenti recensione recensioni messaggio corpo
comentário mensagem avaliacao resenha conteudo descricao pergunta kommentar kommentare nachricht nachrichten bewertung
bewertungen rezension satz satze inhalt beschreibung frage anfrage beitrag tekst teksten opmerking bericht recensie
zin tekst komentarz opinia tresc wiadomosc metin yorum yorumlar mesaj tweet cumle kommentti teksti viesti arvostelu
текст тексты отзыв отзывы комментарий комментарии сообщение сообщения твит предложение описание вопрос обращение
текст відгук коментар повідомлення
文本 内容 内文 评论 評論 正文 句子 留言 微博 描述 问题 文章 本文 テキスト レビュー コメント 文 内容 質問 文章
텍스트 리뷰 내용 문장 댓글 본문 문서 نص النص تعليق مراجعة טקסט ข้อความ รีวิว κείμενο σχόλιο टेक्स्ट
""")
TITLE = _known("""
title titles subject headline header heading summary topicline titulo título titular asunto encabezado resumen titre
objet sujet titolo oggetto assunto resumo titel betreff uberschrift überschrift schlagzeile onderwerp kop tytul tytuł
temat baslik başlık konu otsikko rubrik заголовок тема название 标题 標題 题目 主题 タイトル 件名 見出し 제목 عنوان
""")
LABEL = _known("""
label labels class classes category categories cat target sentiment sentiments polarity topic topics intent intents
tag tags y gold annotation emotion emotions spam toxic toxicity stance outcome group_label genre queue department
etiqueta etiquetas clase clases categoria categorias categoría sentimiento sentimientos polaridad tema temas intencion
intención emocion género genero classe classes categorie catégorie etiquette étiquette sentiment thème polarité
etichetta etichette categoria sentimento argomento rótulo rotulo sentimento emoção klasse klassen kategorie kategorien
label stimmung thema labels categorie klasse sentyment kategoria etykieta klasa etiket sinif sınıf kategori duygu luokka
kategoria tunne метка метки класс категория тональность тема рубрика мітка категорія
标签 標籤 类别 類別 分类 分類 情感 类型 类 ラベル カテゴリ カテゴリー 分類 感情 クラス 라벨 레이블 분류
카테고리 감정 감성
تصنيف فئة تسمية תווית ป้าย หมวดหมู่ κατηγορία ετικέτα
""")
GRADE = _known("""
rating ratings star stars score scores grade type kind code priority severity status decision verdict estrellas
puntuacion puntuación calificacion valoracion severidad prioridad tipo nota note etoiles étoiles bewertung sterne art
typ voto stelle estrelas оценка рейтинг тип звезды 评分 评级 星级 等级 評価 星 평점 별점
""")
GROUP = _known("""
group groups grupo groupe gruppe
author authors user users username userid member customer client reviewer speaker writer account handle sender patient
person annotator product products asin item film movie book hotel restaurant business company brand shop store site
domain thread conversation session dialog ticket case source publication journal series
autor autora usuario usuarios cliente clientes producto productos hotel pelicula película libro empresa auteur
utilisateur client produit livre film entreprise autore utente prodotto libro autor benutzer nutzer kunde kunden
kundin produkt produkte film buch firma verfasser gebruiker klant product uzytkownik klient produkt autor kullanici
yazar urun ürün автор пользователь клиент товар продукт фильм 作者 用户 用戶 商品 产品 产品名 电影 著者 ユーザー 商品
작성자 사용자 상품 제품 영화
""")
ID = _known("""
id ids uid uuid guid index idx nr no num number key rowid identifier ident codigo código numero número identifiant
nummer numer kimlik ид номер 编号 序号 番号 번호
""")
# Columns that seldom are the class, although they have few values.
ASIDE = _known("""
date time timestamp year month day hour lang language locale country city region state channel platform device version
fecha hora pais país ciudad canal idioma plataforma datum zeit land stadt sprache kanal pays ville langue
дата город язык
verified helpful useful cool funny likes retweets price precio prix preis цена 价格 日期 length len count
""")
PAIRS = [("premise", "hypothesis"), ("question", "answer"), ("context", "question"), ("context", "response")]
UNNAMED = "column"  # followed by a number: the name of a column without a name
NUMBERED = re.compile(r"(.*?)[_ ]?(1|2|a|b)$", re.IGNORECASE)


def words_of(name: str) -> list[str]:
    """Returns the words of a column's name: the same for 'reviewText' and 'review_text'."""
    return [plain(word) for word in PARTS.findall(unicodedata.normalize("NFC", name))]


def name_fit(kind: frozenset[str], name: str) -> float:
    """Returns how well a name fits a kind: 1 if it is one of its words, less if it contains one, 0 if not."""
    words = words_of(name)
    whole = plain(name.strip())
    if whole in kind:
        return 1.0
    if words and words[-1] in kind:
        return 0.9
    if any(word in kind for word in words):
        return 0.6
    return 0.6 if not whole.isascii() and any(word in whole for word in kind if not word.isascii()) else 0.0


def are_a_pair(one: str, other: str) -> bool:
    """Returns whether two names belong together, such as sentence1 and sentence2, or premise and hypothesis."""
    if (plain(one), plain(other)) in PAIRS:
        return True
    first, second = NUMBERED.fullmatch(plain(one)), NUMBERED.fullmatch(plain(other))
    return bool(first and second and first[1] == second[1] not in ("", UNNAMED) and first[2] != second[2])
