{#
  The top-level domains that make a host without http:// or www. a link. Edit the lists here.
  plain: with or without a path: example.com, example.org/about
  words: English words, abbreviations and endings of file names; only with a path: t.me/name, not to.me
  capitals: those of the plain ones that are English abbreviations in capitals: example.tv is a link, live.TV is not
  international, east_asian: all others that begin with a letter beyond ASCII, as in IANA's list (version 2024110800) but
    without xn--; with or without a path, in small letters or in capitals
#}
{% macro top_level_domains() %}
  {{ return({
    'plain': [
      'com', 'org', 'net', 'edu', 'gov', 'mil', 'biz', 'mobi', 'asia', 'coop',
      'ac', 'ae', 'ai', 'ar', 'au', 'bg', 'br', 'bz', 'ca', 'ch', 'cl', 'cn', 'co', 'cr', 'cz', 'de', 'dk', 'ee',
      'es', 'eu', 'fi', 'fm', 'fr', 'ge', 'gh', 'gl', 'gr', 'hk', 'hu', 'io', 'ir', 'jp', 'ke', 'kr', 'kz', 'lk',
      'lu', 'lv', 'ly', 'mx', 'ng', 'nl', 'nz', 'pe', 'pk', 'pt', 'ro', 'ru', 'sa', 'se', 'sg', 'si', 'sk', 'tk',
      'tr', 'tv', 'tw', 'ua', 'ug', 'uk', 'uy', 'vn', 'ws', 'za',
      'verm%cgensberater' | format(0xF6), 'verm%cgensberatung' | format(0xF6),
    ],
    'capitals': [
      'ac', 'ai', 'ar', 'ca', 'co', 'eu', 'fm', 'ge', 'hk', 'io', 'net', 'nz', 'pe', 'pt', 'sa', 'tv', 'uk',
    ],
    'words': [
      'al', 'am', 'as', 'at', 'be', 'by', 'cc', 'do', 'gg', 'hr', 'id', 'ie', 'il', 'im', 'in', 'is', 'it', 'la',
      'lt', 'ma', 'md', 'me', 'mp', 'ms', 'my', 'no', 'ph', 'pl', 'pm', 'pr', 'rs', 'sc', 'sh', 'so', 'st', 'th',
      'to', 'us', 'vc',
      'app', 'art', 'blog', 'cloud', 'club', 'dev', 'info', 'int', 'link', 'live', 'name', 'news', 'one', 'online',
      'page', 'pro', 'shop', 'site', 'store', 'tech', 'world', 'xxx', 'xyz',
    ],
    'international': decoded_labels('
      11b4c3d 2scrj9c 3hcrj9c 42c2d9a 45br5cyl 45brj9c 4dbrk0ce 4gbrim 54b7fta0cc 80adxhks 80ao21a 80aqecdr1a 80asehdb
      80aswg 90a3ac 90ae 90ais 9dbq2a c1avg c2br7g clchc0ea0b2g2a9gcd d1acj3b d1alf e1a4c fhbei fpcrj9c3d fzc2c9e2c
      gecrj9c h2breg3eve h2brj9c h2brj9c8c i1b6b1a6a2e j1aef j1amh l1acc lgbbat1ad8j mgb9awbf mgba3a3ejt mgba3a4f16a
      mgba7c0bbn0a mgbaam7a8h mgbab2bd mgbah1a3hjkrd mgbai9azgqp6j mgbayh7gpa mgbbh1a mgbbh1a71e mgbc0a9azcg mgbca7dzdo
      mgbcpq6gpa1a mgberp4a5d4ar mgbgu82a mgbi4ecexp mgbpl2fh mgbt3dhd mgbtx2b mgbx4cd0ab ngbc5azd ngbe9e0a ngbrx node
      o3cw4h ogbpf8fl p1acf p1ai pgbs0dh q7ce6a qxa6a qxam rvc1e0am3e s9brj9c wgbh1c wgbl6a xkc2al3hye2a xkc2dl3a5ee0h
      y9a3aq ygbi2ammx
    '),
    'east_asian': decoded_labels('
      1ck2e1b 1qqw23a 30rr7y 3bst00m 3ds443g 3e0b707e 3pxu8k 45q11c 55qw42g 55qx5d 5su34j936bgsg 5tzm5g 6frz82g
      6qq986b3xl 8y0a063a 9et52u 9krt00a b4w605ferd bck1b9a5dre4c cck2b3b cckwcxetd cg4bki czr694b czrs0t czru2d
      eckvdtc9d efvy88h fct429k fiq228c5hs fiq64b fiqs8s fiqz9s fjq720a flw351e fzys8d69uvgm g2xx48c gckr3f0f gk3at1e
      hxt814e imr513n io0a7i j6w193g jlq480n2rg jvr189m kcrx77d1x4a kprw13d kpry57d kput3i mix891f mk1bu44c mxtq1m
      nqv7f nqv7fs00ema nyqy26a otu796d pssy2u q9jyb4c qcka1pmc rhqv96g rovu88b ses554g t60b56a tckwe tiq49xqyj unup4y
      vhquv vuq861b w4r85el8fhu5dnra w4rs40l xhq521b yfro4i67o zfr164b
    '),
  }) }}
{% endmacro %}

{# Labels in Punycode, which is ASCII, as letters: in small letters and in capitals. #}
{% macro decoded_labels(encoded) %}
  {% set labels = [] %}
  {% for label in encoded.split() %}{% do labels.append(label.encode().decode('punycode')) %}{% endfor %}
  {{ return((labels + labels | map('upper') | list) | unique(true) | list) }}
{% endmacro %}
