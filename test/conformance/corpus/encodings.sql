SET client_encoding = 'UTF8'

SET NAMES 'utf-8'

SELECT 'é'

SET NAMES 'LATIN1'

SELECT 'caf' || chr(233)

SELECT chr(9730)

SET client_encoding = 'SQL_ASCII'

SELECT chr(233)

SET client_encoding = 'EUC_JP'

SELECT chr(12354)

SET client_encoding = 'nothing'

RESET client_encoding

SHOW client_encoding

SELECT '☂'
