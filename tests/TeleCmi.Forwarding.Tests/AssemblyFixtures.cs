using TeleCmi.TestSupport;

[assembly: AssemblyFixture(typeof(AzuriteFixture))]
