VALUES
  (1, 7, 3L, 1Y, 2.5D, 1.5F, 1.25, 'Hello World', 'World', DATE '2024-01-31', TIMESTAMP '2024-01-31 10:11:12.123456', TRUE, array(1, 2, 3), array('a', 'b'), map('a', 1, 'b', 2), 2, named_struct('n', 1, 't', 'x')),
  (2, -7, -3L, -1Y, -2.5D, -1.5F, -1.25, ' a ', 'a', DATE '2023-12-25', TIMESTAMP '1969-12-31 23:59:59.5', FALSE, array(3, NULL, 1), array('', NULL), map('a', NULL), -1, named_struct('n', CAST(NULL AS INT), 't', 'y')),
  (3, 0, 0L, 0Y, 0.0D, 0.0F, 0.00, '', '', DATE '1970-01-01', TIMESTAMP '1970-01-01 00:00:00', NULL, array(), array(), map(), 0, named_struct('n', 3, 't', CAST(NULL AS STRING))),
  (4, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (5, 2147483647, 9223372036854775807L, 127Y, CAST('NaN' AS DOUBLE), CAST('NaN' AS FLOAT), 99999999.99, 'ñandú 日本 😀', 'ú', DATE '2000-02-29', TIMESTAMP '2000-02-29 23:59:59.999999', TRUE, array(5, 5), array('ñ', 'a,b'), map('ñ', 5), 3, named_struct('n', 5, 't', '')),
  (6, 1, 1L, 100Y, 1e300D, 0.1F, 0.05, 'a,b,,c', ',', DATE '2024-12-30', TIMESTAMP '2024-12-30 00:00:00', FALSE, array(NULL), array('b', 'a', 'b'), map('a', 3), 1, named_struct('n', 6, 't', 'z')),
  (7, 42, 42L, 42Y, 2.675D, 2.75F, 42.50, '42', '4', DATE '2021-01-03', TIMESTAMP '2021-01-03 12:00:00.000001', TRUE, array(2, 1), array('Z', 'a'), map('b', 7), 10, named_struct('n', 7, 't', 'q')),
  (8, 3, 10L, 5Y, CAST('-Infinity' AS DOUBLE), 100.0F, 0.99, 'O\'Reilly\\x%_y', 'x', DATE '1582-10-20', TIMESTAMP '2038-01-19 03:14:07', FALSE, array(1), array('x'), map('a', 9), 5, named_struct('n', 8, 't', 'w')),
  (9, 15, 15L, 15Y, -0.0D, -0.0F, 0.50, 'HELLO world', 'world', DATE '2024-02-29', TIMESTAMP '2024-02-29 06:07:08.09', TRUE, array(3, 2, 1), array('c'), map('c', 0), 4, named_struct('n', 9, 't', 'v')),
  (10, -3, -10L, -128Y, 0.125D, 3.25F, 7.00, '2024-03-10', '-', DATE '2020-06-15', TIMESTAMP '2020-06-15 18:30:00', NULL, array(9, 8), array('k', 'j'), map('k', 4), 7, named_struct('n', 10, 't', 'u'))
AS t(id, i, b, ti, d, f, dec, s, s2, dt, ts, bo, ai, ar, m, n, st)
