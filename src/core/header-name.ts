/**
 * The one spelling under which CGI, WSGI and their kin read a header's name: lower case, `_` and `.` as `-`
 * (the class of CVE-2026-52845 and CVE-2026-88011).
 */
export const foldHeaderName = (name: string): string => name.toLowerCase().replaceAll(/[_.]/g, '-')
