/* Values show as Python's repr() shows them. What is expected was printed by Python 3.11. */
#include "harness.h"

#include "objects.h"
#include "system.h"
#include "wire/repr.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Does v show as that? */
static void expect_shown(int line, mp_value_t v, const char *expected)
{
    char *shown = mp_repr(v);
    CU_ASSERT_PTR_NOT_NULL_FATAL(shown);
    if (strcmp(shown, expected) != 0)
        printf("line %d: %s, not %s\n", line, shown, expected);
    CU_ASSERT_STRING_EQUAL(shown, expected);
    mp_free(shown);
}

#define EXPECT_SHOWN(x, expected) expect_shown(__LINE__, mp_of(x), expected)

static const struct {
    double number;
    const char *text;
} doubles[] = {
    /* clang-format off */
        {0x0.0p+0, "0.0"},
        {-0x0.0p+0, "-0.0"},
        {0x1.0000000000000p+0, "1.0"},
        {-0x1.8000000000000p+0, "-1.5"},
        {0x1.999999999999ap-4, "0.1"},
        {0x1.999999999999ap-3, "0.2"},
        {0x1.3333333333334p-2, "0.30000000000000004"},
        {0x1.9000000000000p+6, "100.0"},
        {0x1.d6f3454000000p+26, "123456789.0"},
        {0x1.c6bf526340000p+49, "1000000000000000.0"},
        {0x1.1c37937e08000p+53, "1e+16"},
        {0x1.550f7dca70000p+53, "1.2e+16"},
        {0x1.b69b4ba630f35p+56, "1.2345678901234568e+17"},
        {0x1.0000000000000p+53, "9007199254740992.0"},
        {0x1.0f0cf064dd592p+73, "1e+22"},
        {0x1.52d02c7e14af6p+76, "1e+23"},
        {0x1.0624dd2f1a9fcp-10, "0.001"},
        {0x1.a36e2eb1c432dp-14, "0.0001"},
        {0x1.4f8b588e368f1p-17, "1e-05"},
        {0x1.3a92a30553261p-13, "0.00015"},
        {0x1.421f5f40d8376p-23, "1.5e-07"},
        {0x0.0000000000001p-1022, "5e-324"},
        {0x0.0000000000005p-1022, "2.5e-323"},
        {0x1.0000000000000p-1022, "2.2250738585072014e-308"},
        {0x0.fffffffffffffp-1022, "2.225073858507201e-308"},
        {0x1.fffffffffffffp+1023, "1.7976931348623157e+308"},
        {0x1.0000000000000p-44, "5.684341886080802e-14"},
        {0x1.0000000000000p-1022, "2.2250738585072014e-308"},
        {0x1.0000000000000p+63, "9.223372036854776e+18"},
        {0x1.0000000000000p-24, "5.960464477539063e-08"},
        {0x1.0000000000000p+100, "1.2676506002282294e+30"},
        {0x1.0000000000000p-100, "7.888609052210118e-31"},
        {0x1.1666666666666p+2, "4.35"},
        {0x1.3333333333333p-2, "0.3"},
        {0x1.5555555555555p-1, "0.6666666666666666"},
        {0x1.5555555555555p-2, "0.3333333333333333"},
        {0x1.249ad2594c37dp+332, "1e+100"},
        {0x1.edd2f1a9fbe77p+6, "123.456"},
        {0x1.921fb54442d18p+1, "3.141592653589793"},
        {0x1.5bf0a8b145769p+1, "2.718281828459045"},
        {0x1.199999999999ap+0, "1.1"},
        {0x1.4f8b588e368f1p-17, "1e-05"},
        {0x1.0000000000000p-20, "9.5367431640625e-07"},
        {0x1.0000000000000p-44, "5.684341886080802e-14"},
        {0x1.b1ae4d6e2ef50p+69, "1e+21"},
        {0x1.2000000000000p+2, "4.5"},
        {0x1.0000000000000p-1, "0.5"},
        {0x1.1c37937e07fffp+53, "9999999999999998.0"},
        {0x1.6345785d89fffp+56, "9.999999999999998e+16"},
        {-0x1.7584a2265b1f5p-740, "-2.522753946247637e-223"},
        {-0x1.13e30d8f16adfp+215, "-5.674664918136216e+64"},
        {0x1.7c4d1c386bbc4p-765, "7.654927133881691e-231"},
        {0x1.feb89414c343cp-541, "2.7715077941825975e-163"},
        {-0x1.e6f447ed4d57bp+45, "-66926478731690.96"},
        {0x1.510617311d8a3p+911, "2.2790121708605243e+274"},
        {0x1.e7696a6cecc1bp+531, "1.3383932992236106e+160"},
        {0x1.f992dc9e9c616p-164, "8.445496795513092e-50"},
        {0x1.42c8218072e8cp+975, "4.026380313612261e+293"},
        {-0x1.06ce60741c7a8p+588, "-1.039999246087972e+177"},
        {0x1.a828dd5f4b3b2p+573, "5.122439992692798e+172"},
        {-0x1.10e766ec9d286p-583, "-3.367304008780077e-176"},
        {-0x1.47159c324c985p+71, "-3.0168212434893705e+21"},
        {-0x1.21a58008a05a6p-221, "-3.3573703852372156e-67"},
        {0x1.e3d437204e52dp+67, "2.7890840981819507e+20"},
        {-0x1.47e35b8b6d8fep+213, "-1.6860668391509668e+64"},
        {-0x1.5d4c13a902931p-650, "-2.9205048131065683e-196"},
        {0x1.b8f1ff1fd42a2p-605, "1.2971714304409807e-182"},
        {0x1.31193e6c3f339p+277, "2.8940701966505206e+83"},
        {0x1.6e6e307d4bedcp-932, "3.942716995897388e-281"},
        {-0x1.8a7dd06839eb9p-411, "-2.9138649815953417e-124"},
        {0x1.b413f8a9a021ep-986, "2.60464476415712e-297"},
        {-0x1.88ad9f06c144ap+538, "-1.380176098350245e+162"},
        {-0x1.d67f9619699cfp-260, "-9.920174193947555e-79"},
        {-0x1.30c4237730edfp+898, "-2.5157234196648135e+270"},
        {-0x1.179e06c0fd4f5p-98, "-3.44654920223904e-30"},
        {-0x1.2b8bc076f3787p-910, "-1.3518464599291115e-274"},
        {-0x1.1e88f38c0c8fdp+57, "-1.6130484589462314e+17"},
        {-0x1.d3fef701966a0p+775, "-3.632860948069635e+233"},
        {-0x1.8348a7eed8d14p-807, "-1.772486265902276e-243"},
        {0x1.fd2803bab6c39p+392, "2.0061779959619276e+118"},
        {-0x1.5f23d3b1a11dfp-299, "-1.3467022099658464e-90"},
        {-0x1.d789a380208a9p+45, "-64807641285649.32"},
        {-0x1.64af775a89294p+829, "-4.987831702955333e+249"},
        {-0x1.f89d94a2f20aap+723, "-8.697762175904393e+217"},
        {0x1.ac4ba05805975p+681, "1.6785354100381097e+205"},
        {-0x1.0a8f0d66b829ep+682, "-2.089344716785902e+205"},
        {-0x1.48cb48e73ca47p+706, "-4.32375387638952e+212"},
        {0x1.99e3fa46d6753p-614, "2.3551067095935005e-185"},
        {-0x1.d459a2f978d87p-494, "-3.576949707084736e-149"},
        {-0x1.067edfe175330p-107, "-6.31935179170315e-33"},
        {0x1.0000000000000p-1017, "7.120236347223045e-307"},
        {0x1.0000000000000p-1007, "7.291122019556398e-304"},
        {0x1.0000000000000p-957, "8.209073602596753e-289"},
        {0x1.0000000000000p-921, "5.641232424577593e-278"},
        {0x1.0000000000000p-808, "5.858190679279809e-244"},
        {0x1.0000000000000p-791, "7.678447687145631e-239"},
        {0x1.0000000000000p-788, "6.142758149716505e-238"},
        {0x1.0000000000000p-778, "6.290184345309701e-235"},
        {0x1.0000000000000p-705, "5.940911144672375e-213"},
        {0x1.0000000000000p-695, "6.083493012144512e-210"},
        {0x1.0000000000000p-662, "5.225680706521042e-200"},
        {0x1.0000000000000p-652, "5.351097043477547e-197"},
        {0x1.0000000000000p-549, "5.426657103235053e-166"},
        {0x1.0000000000000p-509, "5.966672584960166e-154"},
        {0x1.0000000000000p-496, "4.887898181599368e-150"},
        {0x1.0000000000000p-489, "6.256509672447191e-148"},
        {0x1.0000000000000p-383, "5.075883674631299e-116"},
        {0x1.0000000000000p-366, "6.653062250012736e-111"},
        {0x1.0000000000000p-296, "7.854549544476363e-90"},
        {0x1.0000000000000p-140, "7.174648137343064e-43"},
        {0x1.0000000000000p-97, "6.310887241768095e-30"},
        {0x1.0000000000000p-77, "6.617444900424222e-24"},
        {0x1.0000000000000p-44, "5.684341886080802e-14"},
        {0x1.0000000000000p-24, "5.960464477539063e-08"},
        {0x1.0000000000000p+89, "6.189700196426902e+26"},
        {0x1.0000000000000p+122, "5.316911983139664e+36"},
        {0x1.0000000000000p+132, "5.444517870735016e+39"},
        {0x1.0000000000000p+172, "5.986310706507379e+51"},
        {0x1.0000000000000p+182, "6.129982163463556e+54"},
        {0x1.0000000000000p+275, "6.070840288205404e+82"},
        {0x1.0000000000000p+305, "6.518515124270356e+91"},
        {0x1.0000000000000p+345, "7.167183174968974e+103"},
        {0x1.0000000000000p+378, "6.156563468186638e+113"},
        {0x1.0000000000000p+398, "6.455624695217272e+119"},
        {0x1.0000000000000p+405, "8.263199609878108e+121"},
        {0x1.0000000000000p+481, "6.243497100631985e+144"},
        {0x1.0000000000000p+534, "5.623642243178996e+160"},
        {0x1.0000000000000p+544, "5.758609657015292e+163"},
        {0x1.0000000000000p+554, "5.896816288783659e+166"},
        {0x1.0000000000000p+574, "6.183260036827614e+172"},
        {0x1.0000000000000p+594, "6.483618076376552e+178"},
        {0x1.0000000000000p+710, "5.386379163185535e+213"},
        {0x1.0000000000000p+803, "5.334411546303884e+241"},
        {0x1.0000000000000p+863, "6.150157786156811e+259"},
        {0x1.0000000000000p+896, "5.282945311356653e+269"},
        {0x1.0000000000000p+976, "6.386688990511104e+293"}
    /* clang-format on */
};

static void expect_doubles(void)
{
    for (size_t i = 0; i < sizeof doubles / sizeof doubles[0]; i++)
        EXPECT_SHOWN(doubles[i].number, doubles[i].text);
}

MP_CASE(doubles_show_the_fewest_digits)
{
    expect_doubles();
    EXPECT_SHOWN(INFINITY, "inf");
    EXPECT_SHOWN(-INFINITY, "-inf");
    EXPECT_SHOWN(NAN, "nan");
    EXPECT_SHOWN(-NAN, "nan");
}

MP_CASE(the_locale_does_not_matter)
{
    static const char *const commas[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "German_Germany.1252", "de-DE"};
    bool set = false;
    for (size_t i = 0; i < sizeof commas / sizeof commas[0] && !set; i++)
        set = setlocale(LC_NUMERIC, commas[i]) != NULL;
    if (!set || strcmp(localeconv()->decimal_point, ",") != 0)
        mp_skip("no locale with a decimal comma");
    mp_test_baseline(); /* the C library keeps the locale's file */
    expect_doubles();
}

MP_CASE(scalars)
{
    EXPECT_SHOWN(MP_NONE, "None");
    EXPECT_SHOWN(MP_TRUE, "True");
    EXPECT_SHOWN(MP_FALSE, "False");
    EXPECT_SHOWN(0, "0");
    EXPECT_SHOWN(INT64_MIN, "-9223372036854775808");
    EXPECT_SHOWN(UINT64_MAX, "18446744073709551615");
}

MP_CASE(strings)
{
    EXPECT_SHOWN(mp_str("", 0), "''");
    EXPECT_SHOWN(mp_str("plain", 5), "'plain'");
    EXPECT_SHOWN(mp_str("it's", 4), "\042it's\042");
    EXPECT_SHOWN(mp_str("say \042hi\042", 8), "'say \042hi\042'");
    EXPECT_SHOWN(mp_str("both ' and \042", 12), "'both \134' and \042'");
    EXPECT_SHOWN(mp_str("back\134slash", 10), "'back\134\134slash'");
    EXPECT_SHOWN(mp_str("tab\011new\012ret\015", 12), "'tab\134tnew\134nret\134r'");
    EXPECT_SHOWN(mp_str("\000\001\037\177", 4), "'\134x00\134x01\134x1f\134x7f'");
    EXPECT_SHOWN(mp_str("caf\303\251", 5), "'caf\303\251'");
    EXPECT_SHOWN(mp_str("\342\202\254", 3), "'\342\202\254'");
    EXPECT_SHOWN(mp_str("\360\237\230\200", 4), "'\360\237\230\200'");
    EXPECT_SHOWN(mp_str("\302\200\302\237\302\240\302\255", 8), "'\134x80\134x9f\134xa0\134xad'");
    EXPECT_SHOWN(mp_str("\304\200\342\200\213\342\200\216\342\200\250\342\200\251\342\200\257", 17),
                 "'\304\200\134u200b\134u200e\134u2028\134u2029\134u202f'");
    EXPECT_SHOWN(mp_str("\356\200\200", 3), "'\134ue000'");
    EXPECT_SHOWN(mp_str("\357\273\277", 3), "'\134ufeff'");
    EXPECT_SHOWN(mp_str("\357\277\275", 3), "'\357\277\275'");
    EXPECT_SHOWN(mp_str("\357\277\276", 3), "'\134ufffe'");
    EXPECT_SHOWN(mp_str("\363\240\200\201", 4), "'\134U000e0001'");
    EXPECT_SHOWN(mp_str("\364\200\200\200", 4), "'\134U00100000'");
    EXPECT_SHOWN(mp_str("\343\200\200", 3), "'\134u3000'");
    EXPECT_SHOWN(mp_str("\330\200", 2), "'\134u0600'");
    EXPECT_SHOWN(mp_str("\346\227\245\346\234\254", 6), "'\346\227\245\346\234\254'");
    EXPECT_SHOWN(mp_str("\303\251\314\201", 4), "'\303\251\314\201'");
    EXPECT_SHOWN(mp_str("\200\377 ok", 5), "'\134udc80\134udcff ok'");
    EXPECT_SHOWN(mp_str("a\303(", 3), "'a\134udcc3('");
    EXPECT_SHOWN(mp_str("\341\240\216", 3), "'\134u180e'");
    EXPECT_SHOWN(mp_str("\341\232\200", 3), "'\134u1680'");
}

MP_CASE(bytes)
{
    EXPECT_SHOWN(mp_bytes("", 0), "b''");
    EXPECT_SHOWN(mp_bytes("plain", 5), "b'plain'");
    EXPECT_SHOWN(mp_bytes("it's", 4), "b\042it's\042");
    EXPECT_SHOWN(mp_bytes("\042", 1), "b'\042'");
    EXPECT_SHOWN(mp_bytes("'\042", 2), "b'\134'\042'");
    EXPECT_SHOWN(mp_bytes("\134", 1), "b'\134\134'");
    EXPECT_SHOWN(mp_bytes("\011\012\015\000\037\177\200\377", 8),
                 "b'\134t\134n\134r\134x00\134x1f\134x7f\134x80\134xff'");
    EXPECT_SHOWN(mp_bytes("caf\303\251", 5), "b'caf\134xc3\134xa9'");
}

MP_CASE(containers)
{
    EXPECT_SHOWN(mp_list(), "[]");
    EXPECT_SHOWN(mp_dict(), "{}");
    EXPECT_SHOWN(mp_list(42, MP_NONE, "hello"), "[42, None, 'hello']");
    EXPECT_SHOWN(mp_dict(1, "1", "2", 2, 0.25, MP_NONE), "{1: '1', '2': 2, 0.25: None}");
    EXPECT_SHOWN(mp_list(mp_list(mp_dict("k", mp_list())), mp_range(1, 4)), "[[{'k': []}], [1, 2, 3]]");
}

MP_CASE(objects)
{
    mp__handle_t *queue = mp_test_object(MP_KIND_QUEUE, 5), *conn = mp_test_object(MP_KIND_CONN, 0),
                 *proxy = mp_test_object(MP_KIND_LIST_PROXY, 6);
    proxy->item = 3;
    EXPECT_SHOWN((mp_queue_t *)(void *)queue, "<Queue 5:7>");
    EXPECT_SHOWN((mp_conn_t *)(void *)conn, "<Connection>");
    EXPECT_SHOWN((mp_list_t *)(void *)proxy, "<ListProxy 6:7:3>");
    EXPECT_SHOWN(mp_list((mp_queue_t *)(void *)queue), "[<Queue 5:7>]");
    EXPECT_SHOWN((mp_lock_t *)NULL, "<closed Lock>");
    EXPECT_SHOWN((mp_lock_t *)(void *)queue, "<closed Lock>");
    EXPECT_SHOWN(mp_descriptor(7), "<descriptor 7>");
    mp__handle_release(queue);
    mp__handle_release(conn);
    mp__handle_release(proxy);
}

static mp_status_t show_contents(mp__handle_t *proxy, mp__buffer_t *out)
{
    return proxy->item == 3 ? mp__buffer_append(out, "[1, 2]", 6) : MP_GONE;
}

MP_CASE(proxies_show_what_they_stand_for_unless_nested)
{
    mp__handle_t *proxy = mp_test_object(MP_KIND_LIST_PROXY, 6);
    mp_status_t (*before)(mp__handle_t *, mp__buffer_t *) = mp__repr_proxy;
    mp__repr_proxy = show_contents;
    proxy->item = 3;
    EXPECT_SHOWN((mp_list_t *)(void *)proxy, "[1, 2]");
    EXPECT_SHOWN(mp_list((mp_list_t *)(void *)proxy), "[<ListProxy 6:7:3>]");
    proxy->item = 4;
    CU_ASSERT_PTR_NULL(mp_repr((mp_list_t *)(void *)proxy));
    mp__repr_proxy = before;
    mp__handle_release(proxy);
}

MP_CASE(long_text_grows_its_buffer)
{
    static char text[5000];
    memset(text, 'x', sizeof text);
    char *shown = mp_repr(mp_list(mp_str(text, sizeof text), mp_str(text, sizeof text)));
    CU_ASSERT_PTR_NOT_NULL_FATAL(shown);
    CU_ASSERT_EQUAL(strlen(shown), 2 * sizeof text + 8);
    CU_ASSERT(memcmp(shown + 2, text, sizeof text) == 0);
    mp_free(shown);
}

MP_CASE(too_deep_is_refused)
{
    mp_value_t nested[100];
    nested[0] = mp_list();
    for (size_t i = 1; i < 100; i++)
        nested[i] = mp_value_list(&nested[i - 1], 1);
    CU_ASSERT_PTR_NULL(mp_repr(nested[99]));
    CU_ASSERT_EQUAL(mp_error()->status, MP_TOO_LARGE);
}

/* What a sub-program printed, without the carriage returns that Windows adds. */
static void expect_printed(const char *program, int code, const char *expected)
{
    char output[200];
    size_t n = 0;
    CU_ASSERT_EQUAL(mp_test_run(mp_test_program(), program, output, sizeof output), code);
    for (const char *p = output; *p; p++)
        if (*p != '\r')
            output[n++] = *p;
    output[n] = '\0';
    CU_ASSERT_STRING_EQUAL(output, expected);
}

MP_PROGRAM(prints)
{
    return mp_print(mp_list(42, MP_NONE, "hello")) == MP_OK && mp_print(MP_TRUE) == MP_OK ? 0 : 1;
}

MP_CASE(print_writes_lines)
{
    expect_printed("prints", 0, "[42, None, 'hello']\nTrue\n");
}

/* Shows on stdout what came to stderr. */
MP_PROGRAM(perrors)
{
    static const char name[] = "mp_perror.txt";
    char line[200] = "";
    mp_value_t v;
    int code = freopen(name, "w", stderr) && mp_copy(&v, mp_dict(mp_list(), 1)) == MP_TYPE ? mp_perror("copying") : 0;
    fclose(stderr);
    FILE *file = fopen(name, "r");
    if (file && fgets(line, sizeof line, file))
        fputs(line, stdout);
    if (file)
        fclose(file);
    remove(name);
    return code;
}

MP_CASE(perror_says_what_failed_and_returns_1)
{
    expect_printed("perrors", 1, "copying: copy a value: unhashable type: 'list' (MP_TYPE)\n");
}

MP_CASE(an_error_may_be_told_without_a_word_of_ones_own)
{
    char text[200];
    mp_value_t v;
    CU_ASSERT_STRING_EQUAL(mp_error_format(text, sizeof text, NULL), "no error");
    EXPECT_STATUS(mp_copy(&v, mp_dict(mp_list(), 1)), MP_TYPE);
    CU_ASSERT_STRING_EQUAL(mp_error_format(text, sizeof text, NULL), "copy a value: unhashable type: 'list' (MP_TYPE)");
    CU_ASSERT_STRING_EQUAL(mp_error_format(text, sizeof text, "mine"),
                           "mine: copy a value: unhashable type: 'list' (MP_TYPE)");
}

MP_CASES(MP_ROW(doubles_show_the_fewest_digits), MP_ROW(the_locale_does_not_matter), MP_ROW(scalars), MP_ROW(strings),
         MP_ROW(bytes), MP_ROW(containers), MP_ROW(objects), MP_ROW(proxies_show_what_they_stand_for_unless_nested),
         MP_ROW(long_text_grows_its_buffer), MP_ROW(too_deep_is_refused), MP_SUB(prints), MP_ROW(print_writes_lines),
         MP_SUB(perrors), MP_ROW(perror_says_what_failed_and_returns_1),
         MP_ROW(an_error_may_be_told_without_a_word_of_ones_own));
