using TeleCmi.Pipeline.Tests;
using TeleCmi.TestSupport;

[assembly: AssemblyFixture(typeof(AzuriteFixture))]
[assembly: AssemblyFixture(typeof(StorageRequests))]
