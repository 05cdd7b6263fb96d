/**
 * Files that NumPy 2.4 itself wrote, by np.savez_compressed(file, data=…): twelve events in the types of hftbacktest 2, and an array of version 1.
 *
 * The twelve: a clear of each side and a snapshot of four levels (1,700,000,000,001.5 ms local), a message of two changes (12 ms), a trade seen out of
 * order, once at the exchange and once locally (25 ms), a sold trade (31 ms), and an order-by-order event (41 ms).
 */

export const EVENTS_NPZ =
  "UEsDBC0AAAAIAAAAIQDnBH63//////////8IABQAZGF0YS5ucHkBABAAAAQAAAAAAAAYAQAAAAAAAJvsF+obEMnI8I2hWj0ltTi5SN1KIVpDPbVMXUdB3abUQl1TRwHIrU" +
  "jOiC8pBotlQsVy8pMTc9AFCyrA3DQot7CkEoWfX5SSWhSfmYJieGZZYg6KIWkwAZC2WCAjLb+opCgxLx6sHehAt8Sc4lSgeHFGYkEqkK9haKQD1FmrQDLgYmZgeMAABlpm" +
  "/+ZMF0947ACmwUIPIhwYCACg/gs49SdEEtTPgs9+BZh+Fpzm4NUPd/8Hezz6cbvfAWb/BfL0w/0vgNP9jFD3N0w7BNEn/RCL/3EDRqj9WPXD3f8Ap/uZGBgWgBm60eYgfQ" +
  "4Vy81J8T9QfwKF+iHuP/wZrO8AK7MFZvy9wKmfCxb+UT1gfQ5zZmPVz45DPwBQSwECLQMtAAAACAAAACEA5wR+txgBAAAABAAACAAAAAAAAAAAAAAAgAEAAAAAZGF0YS5u" +
  "cHlQSwUGAAAAAAEAAQA2AAAAUgEAAAAA";

export const VERSION_1_NPZ =
  "UEsDBC0AAAAIAAAAIQAdrEvA//////////8IABQAZGF0YS5ucHkBABAA4AAAAAAAAABJAAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxcpG6loG6TZqGuo6Cell9UUpSYF59flJ" +
  "IKEndLzClOBYoXZyQWpAL5GkY6CmaaOgq1CmQDLgYaAwBQSwECLQMtAAAACAAAACEAHaxLwEkAAADgAAAACAAAAAAAAAAAAAAAgAEAAAAAZGF0YS5ucHlQSwUGAAAAAAEA" +
  "AQA2AAAAgwAAAAAA";
