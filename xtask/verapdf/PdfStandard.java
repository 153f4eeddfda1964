import java.io.FileInputStream;
import java.util.Map;
import java.util.TreeMap;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.PDFAParser;
import org.verapdf.pdfa.PDFAValidator;
import org.verapdf.pdfa.flavours.PDFAFlavour;
import org.verapdf.pdfa.results.TestAssertion;
import org.verapdf.pdfa.results.ValidationResult;

/**
 * Holds PDF files against standards by veraPDF: `PdfStandard FLAVOUR[,FLAVOUR...] FILE...`, one line a file and
 * flavour, below it each failed clause once. Exit 1 when any fails, 2 when a flavour is unknown.
 */
public class PdfStandard {
    public static void main(String[] arguments) throws Exception {
        VeraGreenfieldFoundryProvider.initialise();
        boolean passed = true;
        for (String name : arguments[0].split(",")) {
            PDFAFlavour flavour = PDFAFlavour.byFlavourId(name);
            if (flavour == PDFAFlavour.NO_FLAVOUR) {
                System.err.println("unknown flavour " + name);
                System.exit(2);
            }
            for (int n = 1; n < arguments.length; n++) {
                passed &= validate(flavour, name, arguments[n]);
            }
        }
        System.exit(passed ? 0 : 1);
    }

    private static boolean validate(PDFAFlavour flavour, String name, String file) throws Exception {
        try (FileInputStream bytes = new FileInputStream(file);
                PDFAParser parser = Foundries.defaultInstance().createParser(bytes, flavour, flavour)) {
            PDFAValidator validator = Foundries.defaultInstance().createValidator(flavour, false);
            ValidationResult result = validator.validate(parser);
            String verdict = result.isCompliant() ? "pass" : "FAIL";
            System.out.println(verdict + " " + name + " " + file + " checks=" + result.getTotalAssertions());
            Map<String, Integer> failures = new TreeMap<>();
            for (TestAssertion assertion : result.getTestAssertions()) {
                String clause = assertion.getRuleId().getClause() + "-" + assertion.getRuleId().getTestNumber();
                failures.merge(clause + " " + assertion.getMessage(), 1, Integer::sum);
            }
            failures.forEach((failure, count) -> System.out.println("    " + count + "x " + failure));
            return result.isCompliant();
        }
    }
}
